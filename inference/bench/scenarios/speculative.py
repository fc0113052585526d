"""Answers that repeat their prompt, which speculation can guess, and answers that do not."""

import statistics
from dataclasses import replace
from typing import Any

from inference.bench.client import Timing
from inference.bench.figures import FIRST_TOKEN_P50, TOKENS_PER_SECOND, Column, Figures, percentile
from inference.bench.load import Workload, run_load
from inference.bench.scenarios.base import Case, Options, Server

COPY, FREE = "copy", "free"
STREAM_SPEED = Column("stream_tokens_per_second", "tok/s of one stream", "tok/s")


class Speculative:
    name = "speculative"
    explanation = (
        "“copy” asks for a given text word for word, at temperature 0; “free” has nothing to copy. A server that "
        "guesses tokens gains in the first and should lose nothing in the second: compare two registrations of one "
        "model, with and without it (--compare-model), or two servers. Models with random weights copy nothing."
    )
    columns = (TOKENS_PER_SECOND, STREAM_SPEED, FIRST_TOKEN_P50)
    has_engine = False

    def cases(self, options: Options) -> list[Case]:
        return [Case(clients, kind) for clients in options.clients_or(1, 4) for kind in (COPY, FREE)]

    def measure(self, server: Server, case: Case, options: Options, seed: int) -> Figures:
        make = copying if case.kind == COPY else Workload.bodies
        bodies = make(options.workload(seed), case.clients * options.requests)
        load = run_load(server.address, bodies, case.clients)
        return {
            TOKENS_PER_SECOND.key: sum(timing.completion_tokens for timing in load.timings) / load.seconds,
            STREAM_SPEED.key: statistics.median(map(stream_speed, load.timings)),
            FIRST_TOKEN_P50.key: percentile([timing.first_token for timing in load.timings], 50),
        }


def copying(workload: Workload, count: int) -> list[dict[str, Any]]:
    """Return requests for the text of the workload's prompts, word for word."""
    exact = replace(workload, temperature=0)
    return [exact.body(f"repeat this text word for word: {text}") for text in workload.prompts(count)]


def stream_speed(timing: Timing) -> float:
    """Return tokens per second from the first arrival to the last; all tokens of an arrival count, the first one not.

    0 if everything came at once.
    """
    seconds = timing.arrivals[-1] - timing.arrivals[0] if timing.arrivals else 0
    return (timing.completion_tokens - 1) / seconds if seconds else 0
