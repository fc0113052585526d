"""What keys, limits, the log and metrics cost: `python -m tests.overhead MODEL.gguf [--requests 300] [--rounds 4]`.

Two servers, asked in turn: one with none of them, and one that requires a key with four limits and a list of models,
logs each request to the database and on the console, and counts everything.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx

from inference.bench.client import Address
from inference.bench.load import Workload, run_load
from inference.bench.neighbours import processor_seconds
from tests import live_server
from tests.live_server import LiveServer

MODEL = "measured"
LIMITS = ("--requests-per-minute", "--tokens-per-minute", "--tokens-per-day")
STREAMS = 8
QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}


@dataclass
class Side:
    """One of the two servers, and what was measured: milliseconds of requests, tokens a second of the rounds."""

    name: str
    server: LiveServer
    key: str = "any text"
    requests: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)

    def ask(self, http: httpx.Client) -> float:
        """Ask for one token; return the milliseconds until it was there."""
        started = time.perf_counter()
        address = f"{self.server.base_url}/chat/completions"
        answer = http.post(address, json=QUESTION, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.status_code == 200, answer.text
        return (time.perf_counter() - started) * 1000

    def run(self, seed: int) -> float:
        """Return the tokens a second of all streams together."""
        bodies = Workload(prompt_words=20, seed=seed).bodies(6 * STREAMS)
        load = run_load(Address(self.server.base_url, MODEL, self.key), bodies, STREAMS)
        return sum(timing.completion_tokens for timing in load.timings) / load.seconds

    @property
    def processor_ms(self) -> float:
        """How long the web process has computed."""
        return processor_seconds(self.server.process.pid) * 1000


def start_bare(folder: Path, model: Path) -> Side:
    """Start a server that knows nobody and remembers nothing."""
    _set_up(folder, model, usage={"log": False}, server={"log_level": "warning"})
    with patch.dict(os.environ, PYTHONPATH=str(Path(__file__).parent / "unmeasured")):
        return Side("bare", live_server.start(folder))


def start_full(folder: Path, model: Path) -> Side:
    """Start a server with everything, and make a key whose limits are never reached."""
    _set_up(folder, model, auth={"required": True})
    limits = [word for limit in LIMITS for word in (limit, str(10**9))]
    made = live_server.manage(
        folder, "create_key", "--name", "measured", *limits, "--max-concurrent", "50", "--models", MODEL
    )
    assert made.returncode == 0, made.stderr
    return Side("full", live_server.start(folder), made.stdout.split()[-1])


def _set_up(folder: Path, model: Path, **sections: object) -> None:
    folder.mkdir()
    models = [{"name": MODEL, "path": str(model.absolute()), "ctx_size": 1024, "parallel": STREAMS}]
    live_server.set_up(folder, models=models, **sections)


def measure_requests(sides: list[Side], count: int) -> None:
    """Ask both in turn, and print what a request takes."""
    with httpx.Client(timeout=120) as http:
        for side in sides * 30:  # until all is warm
            side.ask(http)
        before = {side.name: side.processor_ms for side in sides}
        for number in range(count):
            for side in sides[:: 1 if number % 2 else -1]:
                side.requests.append(side.ask(http))
    for side in sides:
        processor = (side.processor_ms - before[side.name]) / count
        print(f"{side.name}: {statistics.median(side.requests):.1f} ms a request, of the web process {processor:.1f}")


def measure_streams(sides: list[Side], rounds: int) -> None:
    """Let both generate in turn, and print the tokens a second."""
    for number in range(rounds):
        for side in sides[:: 1 if number % 2 else -1]:
            side.speeds.append(side.run(seed=number))
        print(*(f"{side.name}: {side.speeds[-1]:.1f} tok/s" for side in sides), sep=", ", flush=True)
    ratios = [full / bare for bare, full in zip(*(side.speeds for side in sides), strict=True)]
    print(f"full / bare: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides: list[Side] = []
        try:
            sides.append(start_bare(Path(folder, "bare"), options.model))
            sides.append(start_full(Path(folder, "full"), options.model))
            measure_requests(sides, options.requests)
            measure_streams(sides, options.rounds)
        finally:
            for side in sides:
                side.server.stop()


if __name__ == "__main__":
    main()
