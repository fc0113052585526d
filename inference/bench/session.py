"""One run of `manage.py bench`: what it needs is started, measured, and ended again."""

import secrets
import shlex
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx

from inference.bench import arguments, servers
from inference.bench.client import Address, base_url_of
from inference.bench.engine_loop import EngineProcess
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
DEFAULT_MODEL = "demo"


class Session:
    """The servers of one run; `options` are those of the command, `say` tells of progress."""

    def __init__(self, options: dict[str, Any], say: Callable[[str], object]) -> None:
        self._options = options
        self._say = say
        self._stack = ExitStack()
        self._random: ServedModel | None = None

    def run(self) -> Report:
        """Raises BenchError at the first thing that fails."""
        with self._stack:
            if self._options["random_model"]:
                self._random = self._make_model()
            ours = self._first_server()
            compared = [ours, self._other_server(ours)] if arguments.is_comparing(self._options) else [ours]
            versions = {server.label: _warm_up(server) for server in compared}
            engine = self._bare_engine() if self._options["engine"] else None
            about = {"machine": describe_machine(), "model": self._model_file(), "system_fingerprints": versions}
            return self._measure(compared, engine, about)

    @property
    def _model_name(self) -> str:
        return self._random.name if self._random else self._options["model"] or DEFAULT_MODEL

    @property
    def _model(self) -> ServedModel:
        return self._random or registered_model(self._model_name)

    def _model_file(self) -> dict[str, Any] | None:
        """Describe the model's file; None if a server has it that was not started here."""
        return None if self._options["url"] else describe_file(self._model.config.model_path)

    def _make_model(self) -> ServedModel:
        path = self._stack.enter_context(random_model(self._options["random_model"], self._options["keep"]))
        context = self._options["context"] or arguments.DEFAULT_CONTEXT
        parallel = self._options["parallel"] or arguments.DEFAULT_PARALLEL
        same = ["llama-server", "-m", str(path), "-np", str(parallel), "-c", str(context * parallel)]
        self._say(f"model: {path}; the same with llama-server: {shlex.join(same)}")
        return model_of_file(path, context, parallel)

    def _first_server(self) -> Server:
        """Start our server, unless one runs at --url; that one is called by its host, since it may be any server."""
        url, key = self._options["url"], self._options["api_key"]
        if url:
            return Server(_host(url), Address(base_url_of(url), self._model_name, key))
        folder = self._stack.enter_context(servers.prepared(self._random)) if self._random else None
        base_url, pid = self._stack.enter_context(servers.own_server(folder))
        return Server(OURS, Address(base_url, self._model_name, key), pid)

    def _other_server(self, ours: Server) -> Server:
        """Start the server to compare with, or take one that runs; without either it is another model of ours."""
        name, key = self._options["compare_model"] or self._model_name, self._options["compare_api_key"]
        command, url = self._options["compare_command"], self._options["compare"]
        if command:
            base_url, pid = self._stack.enter_context(servers.peer_server(command, self._model, key))
            return Server(_other_label(servers.name_of(shlex.split(command)), ours), Address(base_url, name, key), pid)
        if url:
            return Server(_other_label(_host(url), ours), Address(base_url_of(url), name, key))
        return Server(_other_label(name, ours), Address(ours.address.base_url, name, ours.address.api_key))

    def _bare_engine(self) -> Engine:
        engine = EngineProcess(self._model.config, self._model.template)
        self._stack.callback(engine.close)
        return engine

    def _measure(self, compared: list[Server], engine: Engine | None, about: dict[str, Any]) -> Report:
        sizes = arguments.sizes_of(self._options)
        rounds = self._options["rounds"] or (arguments.COMPARED_ROUNDS if len(compared) > 1 else 1)
        seed = self._options["seed"] if self._options["seed"] is not None else secrets.randbelow(1 << 40)
        seeds, neighbours = seeds_from(seed), self._neighbours()
        measurements, memory = [], []
        for name in self._options["scenario"]:
            scenario = SCENARIOS[name]
            engines = [engine] if engine and scenario.has_engine else []
            everything = [*compared, *engines]
            measurements += measure(scenario, everything, sizes, rounds, seeds, self._say, neighbours)
            memory += [ServerMemory(name, each.label, memory_of(each.pid)) for each in compared if each.pid]
        about = {**about, "options": {**vars(sizes), "rounds": rounds, "seed": seed}}
        return Report(about, compared, measurements, memory)

    def _neighbours(self) -> Callable[[], float | None]:
        """Return what tells how busy others keep the machine.

        A server that was not started here would look like one of them.
        """
        if self._options["url"] or self._options["compare"]:
            return lambda: None
        return NeighbourMeter().lap


def _warm_up(server: Server) -> str | None:
    """Let the server load its model, so that no figure includes it; return what it calls its version, if it does."""
    [timing] = server.run(Workload(prompt_words=4, max_tokens=4, seed=-1), clients=1, requests=1).timings
    return timing.system_fingerprint


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode()


def _other_label(label: str, ours: Server) -> str:
    return f"{label} (2)" if label in (ours.label, "engine") else label
