"""Many users of one long system prompt that nobody has used before."""

from dataclasses import replace

from inference.bench.figures import FIRST_TOKEN_P50, FIRST_TOKEN_P95, TOKENS_PER_SECOND, Column, Figures, share, speed
from inference.bench.scenarios.base import Case, Engine, Options
from inference.bench.words import sentence, source

USER_WORDS = 12
CACHED = Column("cached", "of prompts cached", "%")


class SharedPrefix:
    name = "shared-prefix"
    explanation = (
        "Clients that all come at once with the same long system prompt, which the server sees for the first time, "
        "each with a short message of its own. The time to the first token, and how much of all prompts was cached."
    )
    columns = (FIRST_TOKEN_P50, FIRST_TOKEN_P95, TOKENS_PER_SECOND, CACHED)
    has_engine = False

    def cases(self, options: Options) -> list[Case]:
        return [Case(clients) for clients in options.clients_or(8)]

    def measure(self, server: Engine, case: Case, options: Options, seed: int) -> Figures:
        system = sentence(source(seed), options.system_words)
        workload = replace(options.workload(seed + 1), prompt_words=USER_WORDS, system=system)
        load = server.run(workload, case.clients, case.clients)
        cached = share(
            (timing.cached_tokens for timing in load.timings), (timing.prompt_tokens for timing in load.timings)
        )
        figures = {**speed(load), CACHED.key: cached}
        return {column.key: figures[column.key] for column in self.columns}
