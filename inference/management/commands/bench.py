"""`manage.py bench`: how fast this server is, and how fast others are with the same client."""

import json
import secrets
import shlex
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from inference.bench import arguments, servers
from inference.bench.client import Address, BenchError, base_url_of
from inference.bench.load import Workload
from inference.bench.machine import describe_file, describe_machine
from inference.bench.measurement import measure, seeds_from
from inference.bench.memory import memory_of
from inference.bench.neighbours import NeighbourMeter
from inference.bench.random_model import random_model
from inference.bench.report import Report, ServerMemory
from inference.bench.scenarios import SCENARIOS
from inference.bench.scenarios.base import Engine, Server
from inference.bench.served_model import ServedModel, model_of_file, registered_model

OURS = "llmsite"


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
            report = self._run(options)
        except BenchError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            report.print(Console(file=self.stdout, width=None if sys.stdout.isatty() else 120))

    def _run(self, options: dict[str, Any]) -> Report:
        """Start what is needed, measure, and end it again."""
        with ExitStack() as stack:
            model = self._model(stack, options)
            ours = self._own_server(stack, model, options)
            compared = [ours]
            if arguments.is_comparing(options):
                compared.append(self._other_server(stack, ours, model, options))
            for server in compared:
                _warm_up(server)
            engine = _bare_engine(model or registered_model(options["model"])) if options["engine"] else None
            return self._measure(compared, engine, model, options)

    def _model(self, stack: ExitStack, options: dict[str, Any]) -> ServedModel | None:
        """Make the random model if one is wanted; None for any other."""
        if not options["random_model"]:
            options["model"] = options["model"] or "demo"
            return None
        path: Path = stack.enter_context(random_model(options["random_model"], options["keep"]))
        model = model_of_file(
            path,
            options["context"] or arguments.DEFAULT_CONTEXT,
            options["parallel"] or arguments.DEFAULT_PARALLEL,
        )
        options["model"] = model.name
        values = model.placeholders
        self.stderr.write(
            f"model {path}; the same with llama-server: "
            f"llama-server -m {shlex.quote(str(path))} -np {values['parallel']} -c {values['total_context']}"
        )
        return model

    def _own_server(self, stack: ExitStack, model: ServedModel | None, options: dict[str, Any]) -> Server:
        """Start our server, unless one runs at --url; its label is the host there, since it may be any server."""
        if options["url"]:
            base_url, pid = base_url_of(options["url"]), None
        else:
            folder = stack.enter_context(servers.prepared(model)) if model else None
            base_url, pid = stack.enter_context(servers.own_server(folder))
        label = _host(base_url) if options["url"] else OURS
        return Server(label, Address(base_url, options["model"], options["api_key"]), pid)

    def _other_server(
        self, stack: ExitStack, ours: Server, model: ServedModel | None, options: dict[str, Any]
    ) -> Server:
        name, key = options["compare_model"] or ours.address.model, options["compare_api_key"]
        template = options["compare_command"]
        if template:
            model = model or registered_model(ours.address.model)
            base_url, pid = stack.enter_context(servers.peer_server(template, model, key))
            label = servers.name_of(shlex.split(template))
        elif options["compare"]:
            base_url, pid, label = base_url_of(options["compare"]), None, _host(options["compare"])
        else:
            base_url, pid, label, key = ours.address.base_url, None, name, ours.address.api_key
        return Server(label if label != ours.label else f"{label} (2)", Address(base_url, name, key), pid)

    def _measure(
        self, compared: list[Server], engine: Engine | None, model: ServedModel | None, options: dict[str, Any]
    ) -> Report:
        sizes = arguments.sizes_of(options)
        rounds = options["rounds"] or (arguments.COMPARED_ROUNDS if len(compared) > 1 else 1)
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(1 << 40)
        measurements, memory, seeds = [], [], seeds_from(seed)
        # Servers that were not started here look like neighbours.
        neighbours = (lambda: None) if options["url"] or options["compare"] else NeighbourMeter().lap
        for name in options["scenario"]:
            scenario = SCENARIOS[name]
            engines = [engine] if engine and scenario.has_engine else []
            everything = [*compared, *engines]
            measurements += measure(scenario, everything, sizes, rounds, seeds, self.stderr.write, neighbours)
            memory += [ServerMemory(name, each.label, memory_of(each.pid)) for each in compared if each.pid]
        about = {
            "machine": describe_machine(),
            "model": describe_file(model.config.model_path) if model else None,
            "options": {**vars(sizes), "rounds": rounds, "seed": seed},
        }
        return Report(about, compared, measurements, memory)


def _warm_up(server: Server) -> None:
    """Let the server load its model, so that no figure includes it. Raises BenchError."""
    server.run(Workload(prompt_words=4, max_tokens=4, seed=-1), clients=1, requests=1)


def _bare_engine(model: ServedModel) -> Engine:
    from inference.bench.engine_loop import EngineLoop  # it loads llama.cpp

    return EngineLoop(model.config, model.template)


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode()
