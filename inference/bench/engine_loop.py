"""The same work inside one process: what the engine can do with no HTTP, pipe or web framework around it."""

import os
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from inference.bench.client import BenchError, Timing
from inference.bench.load import Load, Workload
from inference.chat.constraint import ToolPlan, build_constraint
from inference.chat.template import render_prompt
from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.messages import GenerateRequest, Output, SamplingParams
from inference.worker_environment import worker_environment


class EngineProcess:
    """An engine in a process with the environment of a worker. Raises BenchError if it cannot load the model."""

    label = "engine"

    def __init__(self, config: EngineConfig, template: str) -> None:
        os.environ.update(worker_environment())
        self._process = ProcessPoolExecutor(1, get_context("spawn"))
        self._process.submit(_load, config, template).result()

    def run(self, workload: Workload, clients: int, requests: int) -> Load:
        """Generate for `requests` prompts, `clients` at a time. Raises BenchError if one of them fails."""
        return self._process.submit(_run, workload, clients, requests).result()

    def close(self) -> None:
        self._process.shutdown()


_loaded: list["EngineLoop"] = []  # the one, in the process that was started for it


def _load(config: EngineConfig, template: str) -> None:
    _loaded.append(EngineLoop(config, template))


def _run(workload: Workload, clients: int, requests: int) -> Load:
    return _loaded[0].run(workload, clients, requests)


class EngineLoop:
    """An engine in this process. Raises BenchError if it cannot load the model."""

    def __init__(self, config: EngineConfig, template: str) -> None:
        from inference.engine import native_log
        from inference.engine.llama import Llama, ModelLoadError
        from inference.engine.speculator import new_speculator
        from inference.engine.spinning import new_spinning

        native_log.install(quiet=True)
        try:
            self._llama = Llama(config)
            speculator = new_speculator(self._llama.config, self._llama)
        except ModelLoadError as error:
            raise BenchError(str(error)) from error
        self._core = EngineCore(self._llama.config, self._llama, speculator)
        self._spinning = new_spinning()
        self._template = template

    def run(self, workload: Workload, clients: int, requests: int) -> Load:
        """Generate for `requests` prompts, `clients` at a time. Raises BenchError if one of them fails."""
        sampling = SamplingParams(max_tokens=workload.max_tokens, ignore_eos=workload.schema is None)
        constraint = build_constraint(workload.answer_options, ToolPlan(), None)
        if constraint:
            self._llama.compile(constraint).result()
        waiting = deque(
            GenerateRequest(str(number), self._render(prompt), sampling, constraint)
            for number, prompt in enumerate(workload.prompts(requests))
        )
        timings: dict[str, Timing] = {}
        started = time.perf_counter()
        for _ in range(min(clients, requests)):
            self._start(waiting.popleft(), timings)
        while self._core.has_work:
            for output in self._core.step():
                self._note(output, timings[output.request_id])
                if output.finished and waiting:
                    self._start(waiting.popleft(), timings)
            self._spinning.worked()
        self._spinning.rested()
        return Load(list(timings.values()), time.perf_counter() - started)

    def _render(self, prompt: str) -> str:
        return render_prompt(self._template, [{"role": "user", "content": prompt}], None)

    def _start(self, request: GenerateRequest, timings: dict[str, Timing]) -> None:
        timings[request.id] = Timing(time.perf_counter())
        self._core.add_request(request)

    @staticmethod
    def _note(output: Output, timing: Timing) -> None:
        if output.failure:
            raise BenchError(output.failure.message)
        if output.text:
            timing.arrivals.append(time.perf_counter())
        if output.usage:
            timing.prompt_tokens = output.usage.prompt_tokens
            timing.cached_tokens = output.usage.cached_tokens
            timing.completion_tokens = output.usage.completion_tokens
