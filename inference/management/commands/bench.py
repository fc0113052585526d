"""`manage.py bench`: throughput and latency of a registered model."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from inference.bench.load import BenchError, Workload, run_beside, run_load
from inference.bench.report import Figures, as_json, as_table, figures
from inference.bench.structured import NEIGHBOURS, ratios, structured
from inference.specs import model_spec
from registry.models import RegisteredModel

START_TIMEOUT = 60  # seconds


class Command(BaseCommand):
    help = "Measure throughput, time to first token and the gaps between tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", default="demo", help="a registered model (default demo)")
        parser.add_argument(
            "--scenario",
            choices=["throughput", "structured"],
            default="throughput",
            help="structured compares free answers with answers under a JSON schema (default throughput)",
        )
        parser.add_argument("--url", help="base URL of a running server, ending in /v1; without it one is started")
        parser.add_argument("--clients", type=_counts, default=[1, 8], help="concurrent clients (default 1,8)")
        parser.add_argument("--requests", type=int, default=2, help="requests of each client (default 2)")
        parser.add_argument("--max-tokens", type=int, default=64, help="tokens of each answer (default 64)")
        parser.add_argument("--prompt-words", type=int, default=80, help="words of each prompt (default 80)")
        parser.add_argument("--rounds", type=int, default=1, help="repeat the measurement (default 1)")
        parser.add_argument("--engine", action="store_true", help="measure the bare engine in the same run as well")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *, url: str | None, model: str, **options: Any) -> None:
        workload = Workload(model, options["prompt_words"], options["max_tokens"])
        try:
            with own_server(url) as base_url:
                self._warm_up(base_url, workload)
                measure = self._measure if options["scenario"] == "throughput" else self._measure_structured
                rows = measure(base_url, workload, options)
        except BenchError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(rows), indent=2))
        else:
            Console(file=self.stdout, width=None if sys.stdout.isatty() else 110).print(as_table(rows))
            for line in ratios(rows):
                self.stdout.write(line)

    def _warm_up(self, base_url: str, workload: Workload) -> None:
        """Load the model, so that no figure includes it."""
        asyncio.run(run_load(base_url, Workload(workload.model, 4, 4, seed=1), 1, 1))

    def _measure(self, base_url: str, workload: Workload, options: dict[str, Any]) -> list[Figures]:
        """Run every scenario in turn, HTTP and engine alternating, so that noise of the machine hits both."""
        engine = self._engine(workload.model) if options["engine"] else None
        rows = []
        for round_number in range(options["rounds"]):
            for clients in options["clients"]:
                requests = clients * options["requests"]
                # Another seed each time: a prompt seen before would come from the prefix cache.
                load = Workload(workload.model, workload.prompt_words, workload.max_tokens, len(rows) + 100)
                rows.append(figures("HTTP", clients, *asyncio.run(run_load(base_url, load, clients, requests))))
                if engine:
                    rows.append(figures("engine", clients, *engine.run(load, clients, requests)))
            self.stderr.write(f"round {round_number + 1} of {options['rounds']} done")
        return rows

    def _measure_structured(self, base_url: str, workload: Workload, options: dict[str, Any]) -> list[Figures]:
        """Run free and structured answers in turn, after the first use of a schema beside running streams."""
        engine = self._engine(workload.model) if options["engine"] else None
        rows = self._first_use(base_url, workload)
        for round_number in range(options["rounds"]):
            for clients in options["clients"]:
                requests = clients * options["requests"]
                free = replace(workload, seed=len(rows) + 100)
                for kind, load in (("free", free), ("schema", structured(replace(free, seed=free.seed + 1)))):
                    rows.append(
                        figures(f"HTTP {kind}", clients, *asyncio.run(run_load(base_url, load, clients, requests)))
                    )
                    if engine:
                        rows.append(figures(f"engine {kind}", clients, *engine.run(load, clients, requests)))
            self.stderr.write(f"round {round_number + 1} of {options['rounds']} done")
        return rows

    def _first_use(self, base_url: str, workload: Workload) -> list[Figures]:
        """Compare the gaps of running streams beside a free request with those beside the first one with a schema."""
        rows = []
        for name, other in (("beside a free one", workload), ("beside 1st schema", structured(workload))):
            load = replace(workload, seed=len(rows) + 50)
            timings = asyncio.run(run_beside(base_url, load, NEIGHBOURS, replace(other, max_tokens=1, seed=60)))
            rows.append(figures(name, NEIGHBOURS, *timings))
        return rows

    def _engine(self, name: str) -> Any:
        from inference.bench.engine_loop import EngineLoop

        try:
            model = RegisteredModel.objects.for_api(name)
        except RegisteredModel.DoesNotExist:
            raise CommandError(f"there is no enabled model {name!r}; manage.py list_models shows them") from None
        return EngineLoop(model_spec(model).config, model.effective_chat_template)


@contextmanager
def own_server(url: str | None) -> Iterator[str]:
    """Give the base URL to measure: the one named, or that of a server started for this run."""
    if url:
        yield url.rstrip("/") + "/"
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base_url = f"http://127.0.0.1:{port}/v1/"
        _wait_for(base_url, process)
        yield base_url
    finally:
        process.terminate()
        process.wait()


def _wait_for(base_url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{base_url}health", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise BenchError("the server did not start; `manage.py runserver` shows why")


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise ArgumentTypeError(f"{text!r} is not a list of numbers such as 1,8")
    return counts
