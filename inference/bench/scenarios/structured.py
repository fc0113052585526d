"""What a JSON schema costs, and what its first use costs those who are generating already."""

from dataclasses import replace
from typing import Any

from inference.bench.figures import Column, Figures, gap_figures, speed
from inference.bench.load import Workload, intrude
from inference.bench.scenarios.base import Case, Engine, Options, Server

NEIGHBOURS = 4  # streams that run while a schema is used for the first time
BESIDE_TOKENS = 8
FIRST_USE = "first use"
FREE_SPEED = Column("free_tokens_per_second", "tok/s free", "tok/s")
SCHEMA_SPEED = Column("schema_tokens_per_second", "tok/s schema", "tok/s")
RATIO = Column("schema_to_free", "schema ÷ free", "×")
FREE_GAP = Column("free_gap_p50", "gap p50 free", "ms")
SCHEMA_GAP = Column("schema_gap_p50", "gap p50 schema", "ms")
FREE_MAX = Column("free_gap_max", "gap max free", "ms")
SCHEMA_MAX = Column("schema_gap_max", "gap max schema", "ms")


class Structured:
    name = "structured"
    explanation = (
        "Free answers and then answers under a JSON schema, with as many tokens. “First use”: the gaps of streams "
        "while a request without a schema runs beside them, and then while one with a schema that is new to the server."
    )
    columns = (FREE_SPEED, SCHEMA_SPEED, RATIO, FREE_GAP, SCHEMA_GAP, FREE_MAX, SCHEMA_MAX)
    has_engine = True

    def cases(self, options: Options) -> list[Case]:
        return [Case(NEIGHBOURS, FIRST_USE), *(Case(clients) for clients in options.clients_or(1, 8))]

    def measure(self, server: Engine, case: Case, options: Options, seed: int) -> Figures:
        unknown: Figures = dict.fromkeys(column.key for column in self.columns)
        if case.kind != FIRST_USE:
            return {**unknown, **_speeds(server, case, options, seed)}
        # The bare engine has no streams to look at.
        return {**unknown, **_first_use(server, options, seed)} if isinstance(server, Server) else unknown


def _speeds(server: Engine, case: Case, options: Options, seed: int) -> Figures:
    requests = case.clients * options.requests
    free = speed(server.run(options.workload(seed), case.clients, requests))
    schema = speed(server.run(structured(options.workload(seed + 1)), case.clients, requests))
    return {
        FREE_SPEED.key: free["tokens_per_second"],
        SCHEMA_SPEED.key: schema["tokens_per_second"],
        RATIO.key: schema["tokens_per_second"] / free["tokens_per_second"],
        FREE_GAP.key: free["gap_p50"],
        SCHEMA_GAP.key: schema["gap_p50"],
        FREE_MAX.key: free["gap_max"],
        SCHEMA_MAX.key: schema["gap_max"],
    }


def _first_use(server: Server, options: Options, seed: int) -> Figures:
    """Return the worst gaps of streams beside a free request, and beside one with a new schema."""
    worst = []
    for number, other in enumerate((options.workload(seed), structured(options.workload(seed)))):
        streams = replace(options.workload(seed + 1 + number), max_tokens=options.stream_tokens)
        beside = replace(other, seed=seed + 3 + number, max_tokens=BESIDE_TOKENS)
        gaps = intrude(server.address, streams.bodies(NEIGHBOURS), beside.bodies(1)[0]).gaps
        worst.append(gap_figures(gaps)["gap_max"])
    return {FREE_MAX.key: worst[0], SCHEMA_MAX.key: worst[1]}


def structured(workload: Workload) -> Workload:
    """Return the same work under a schema that no other seed has."""
    return replace(workload, schema=records(workload.max_tokens, f"note_{workload.seed}"))


def records(num_tokens: int, note: str = "note") -> dict[str, Any]:
    """Return a schema whose shortest answer has more than `num_tokens` tokens."""
    properties = {
        "id": {"type": "integer", "minimum": 1, "maximum": 99999},
        "name": {"type": "string", "maxLength": 40},
        "kind": {"enum": ["person", "place", "thing"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 4},
        note: {"type": ["string", "null"], "maxLength": 200},
    }
    record = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"records": {"type": "array", "items": record, "minItems": num_tokens}},
        "required": ["records"],
        "additionalProperties": False,
    }
