"""`manage.py pool`: which models the running server has in memory."""

import json
from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inference.operators import new_token
from registry.formatting import human_bytes

HEADINGS = ("NAME", "STATE", "MEMORY", "RUNNING", "WAITING", "PINNED", "UNLOADED AT")
LOAD_TIMEOUT = 3600.0  # seconds; a large model may wait for others, too


class Command(BaseCommand):
    """Asks the server over HTTP; its configuration says where it is and signs what is asked."""

    help = "Show, load and unload the models of the running server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        server = settings.CONFIG.server
        host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104
        parser.add_argument("--url", default=f"http://{host}:{server.port}", help="the server (default %(default)s)")
        actions = parser.add_subparsers(dest="action", required=True)
        status = actions.add_parser("status", help="what is in memory")
        status.add_argument("--json", action="store_true", help="print what /v1/pool says")
        for action, text in (("load", "load a model now"), ("unload", "unload a model now")):
            actions.add_parser(action, help=text).add_argument("name")
        token = actions.add_parser("token", help="print a token for the Authorization header")
        token.add_argument("--hours", type=float, default=24, help="how long it is good (default %(default)s)")

    def handle(self, *, action: str, url: str, **options: Any) -> None:
        """Do what was asked for."""
        if action == "token":
            self.stdout.write(new_token(options["hours"] * 3600))
        elif action == "status":
            self._show(_call("GET", f"{url}/v1/pool"), options["json"])
        else:
            body = _call("POST", f"{url}/v1/models/{options['name']}/{action}")
            self.stdout.write(f"{body['id']}: {body['state']}")

    def _show(self, pool: dict[str, Any], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(pool, indent=2, ensure_ascii=False))
            return
        rows = [HEADINGS, *map(_row, pool["models"])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        limit = pool["memory"]["limit"]["host"]
        of = f" of {human_bytes(limit)}" if limit is not None else ""
        self.stdout.write(f"{human_bytes(pool['memory']['used']['host'])}{of} used, {pool['queued']} requests queued")


def _call(method: str, url: str) -> dict[str, Any]:
    """Return the body of the server's answer. Raises CommandError with what it says is wrong."""
    try:
        answer = httpx.request(method, url, headers={"Authorization": f"Bearer {new_token()}"}, timeout=LOAD_TIMEOUT)
    except httpx.HTTPError as error:
        raise CommandError(f"no server answers at {url} ({error}); is it running? --url names another one") from error
    try:
        body = answer.json()
    except ValueError as error:
        raise CommandError(f"{url} answered {answer.status_code} and no JSON; is it an llmsite server?") from error
    if answer.is_error:
        raise CommandError(body["error"]["message"])
    return body


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    is_loading = model["state"] == "loading"
    return (
        model["name"],
        f"loading {model['progress']:.0%}" if is_loading else model["state"],
        human_bytes(model["memory"]["host"]),
        str(model["running"]),
        str(model["waiting"] + model["queued"]),
        "yes" if model["pinned"] else "no",
        model["unload_at"] or "-",
    )
