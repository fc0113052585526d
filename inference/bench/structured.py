"""The structured scenario: what a JSON schema costs, and what its first use costs those who are generating already."""

import statistics
from dataclasses import replace
from itertools import groupby
from typing import Any

from inference.bench.load import Workload
from inference.bench.report import Figures

NEIGHBOURS = 4  # streams that run while a schema is used for the first time


def records(num_tokens: int) -> dict[str, Any]:
    """Return a schema whose shortest answer has more than `num_tokens` tokens."""
    record = {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 1, "maximum": 99999},
            "name": {"type": "string", "maxLength": 40},
            "kind": {"enum": ["person", "place", "thing"]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 4},
            "note": {"type": ["string", "null"], "maxLength": 200},
        },
        "required": ["id", "name", "kind", "tags", "note"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"records": {"type": "array", "items": record, "minItems": num_tokens}},
        "required": ["records"],
        "additionalProperties": False,
    }


def structured(workload: Workload) -> Workload:
    """Return the same work under a schema."""
    return replace(workload, schema=records(workload.max_tokens))


def ratios(rows: list[Figures]) -> list[str]:
    """Return a line for each kind of pair: the throughput under the schema over that of the free run before it."""
    kinds = ("HTTP", "engine")
    pairs = [
        ((kind, after.clients), after.tokens_per_second / before.tokens_per_second)
        for kind in kinds
        for before, after in _pairs([row for row in rows if row.scenario in (f"{kind} free", f"{kind} schema")])
    ]
    lines = []
    for (kind, clients), group in groupby(sorted(pairs, key=_kind), key=_kind):
        values = [ratio for _, ratio in group]
        each = ", ".join(f"{value:.2f}" for value in values)
        lines.append(f"{kind}, {clients} clients: schema ÷ free {each}; median {statistics.median(values):.2f}")
    return lines


def _pairs(rows: list[Figures]) -> list[tuple[Figures, Figures]]:
    return list(zip(rows[::2], rows[1::2], strict=True))


def _kind(pair: tuple[tuple[str, int], float]) -> tuple[str, int]:
    return pair[0]
