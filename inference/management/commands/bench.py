"""`manage.py bench`: how fast this server is, and how fast others are with the same client."""

import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from inference.bench import arguments
from inference.bench.client import BenchError
from inference.bench.session import Session

WIDTH = 120  # columns where the output is no terminal


class Command(BaseCommand):
    help = (
        "Measure throughput, time to first token, gaps between tokens, reuse of prompts and memory, of this server and "
        "of any other that speaks the OpenAI API."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_arguments(parser)

    def handle(self, **options: Any) -> None:
        try:
            arguments.check_arguments(options)
            with ending_servers_on_sigterm():
                report = Session(options, self.stderr.write).run()
        except BenchError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            report.print(Console(file=self.stdout, width=None if sys.stdout.isatty() else WIDTH))


@contextmanager
def ending_servers_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, as `timeout` sends it, unwind like an error does: servers that were started must not outlive us."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
