"""Many clients, each with its own prompts."""

from inference.bench.figures import SPEED, Figures, speed
from inference.bench.scenarios.base import Case, Engine, Options


class Throughput:
    name = "throughput"
    explanation = (
        "Chats of several clients at once; each client sends its next one when it has the answer. Tokens per second of "
        "all of them together, the time from a request to its first token, and the gaps between the tokens of a stream."
    )
    columns = SPEED
    has_engine = True

    def cases(self, options: Options) -> list[Case]:
        return [Case(clients) for clients in options.clients_or(1, 4, 8, 16)]

    def measure(self, server: Engine, case: Case, options: Options, seed: int) -> Figures:
        return speed(server.run(options.workload(seed), case.clients, case.clients * options.requests))
