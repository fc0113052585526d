"""A long prompt that arrives while others read their answers."""

from dataclasses import replace

from inference.bench.figures import GAP_MAX, GAP_P50, GAP_P99, Column, Figures, gap_figures
from inference.bench.load import intrude
from inference.bench.scenarios.base import Case, Options, Server

INTRUDER_TOKENS = 16
INTRUDER_FIRST_TOKEN = Column("intruder_first_token", "intruder's first token", "s")


class Intruder:
    name = "intruder"
    explanation = (
        "Streams that all generate when a request with a long prompt arrives: the gaps between their tokens from then "
        "until it has its answer, and how long it waits for its first token itself."
    )
    columns = (GAP_MAX, GAP_P99, GAP_P50, INTRUDER_FIRST_TOKEN)
    has_engine = False

    def cases(self, options: Options) -> list[Case]:
        return [Case(clients) for clients in options.clients_or(4)]

    def measure(self, server: Server, case: Case, options: Options, seed: int) -> Figures:
        streams = replace(options.workload(seed), max_tokens=options.stream_tokens)
        long = replace(streams, prompt_words=options.intruder_words, max_tokens=INTRUDER_TOKENS, seed=seed + 1)
        result = intrude(server.address, streams.bodies(case.clients), long.bodies(1)[0])
        return {**gap_figures(result.gaps), INTRUDER_FIRST_TOKEN.key: result.intruder.first_token}
