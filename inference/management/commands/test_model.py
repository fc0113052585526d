"""`manage.py test_model NAME`: what a model of the running server can do."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inference.badges import badges
from inference.operators import new_token

SILENCE = 60.0  # seconds; the server gives a sign of life more often


class Command(BaseCommand):
    """Asks the server over HTTP, as `manage.py pool` does. Ctrl-C ends the run."""

    help = "Run the test set on a model of the running server, and keep what comes of it as its capabilities."

    def add_arguments(self, parser: ArgumentParser) -> None:
        server = settings.CONFIG.server
        host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104
        parser.add_argument("name", help="the registered model")
        parser.add_argument("--url", default=f"http://{host}:{server.port}", help="the server (default %(default)s)")

    def handle(self, *, name: str, url: str, **options: Any) -> None:
        """Print each step when it is done. Exits with 1 if one has failed."""
        shown, run = 0, None
        for run in _events(f"{url}/v1/models/{name}/test"):
            for step in run["steps"][shown:]:
                self.stdout.write(f"{'ok  ' if step['passed'] else 'FAIL'}  {step['label']}: {step['text']}")
            shown = len(run["steps"])
        if run is None or run["state"] != "finished":
            raise CommandError(_end_of(run))
        self.stdout.write("  ".join(_worded(badge.label, badge.state) for badge in badges(run["capabilities"])))
        failed = [step["label"] for step in run["steps"] if not step["passed"]]
        if failed:
            raise CommandError(f"{len(failed)} of {run['num_steps']} steps failed: {', '.join(failed)}")


def _worded(label: Any, state: str) -> str:
    return f"no {label}" if state == "no" else str(label)


def _end_of(run: dict[str, Any] | None) -> str:
    """Say how a run that is not finished has ended."""
    if run is None or run["state"] in ("waiting", "running"):
        return "the server ended the connection before the run was finished"
    return f"the run has not finished: {run['state']}{': ' if run['error'] else ''}{run['error']}"


def _events(url: str) -> Iterator[dict[str, Any]]:
    """Yield what the server tells. Raises CommandError with what it says is wrong."""
    headers = {"Authorization": f"Bearer {new_token()}"}
    try:
        with httpx.stream("POST", url, headers=headers, timeout=SILENCE) as answer:
            if answer.is_error:
                raise CommandError(_message(answer))
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
    except httpx.HTTPError as error:
        raise CommandError(f"no server answers at {url} ({error}); is it running? --url names another one") from error


def _message(answer: httpx.Response) -> str:
    answer.read()
    try:
        return answer.json()["error"]["message"]
    except (ValueError, KeyError):
        return f"{answer.url} answered {answer.status_code} and no JSON; is it an llmsite server?"
