"""Percentiles of the times to the first token, out of the counts that hours keep."""

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate

from usage.models import FIRST_TOKEN_BOUNDS

Counts = Sequence[int]


def merged(rows: Iterable[Counts]) -> list[int]:
    """Return the sums of several rows' counts; rows without any counts are left out. [] if nothing is left."""
    return [sum(column) for column in zip(*filter(None, rows), strict=True)]


def counts_of(joined: str | None) -> list[int]:
    """Return the sums of counts that the database has joined as JSON arrays, with commas between them."""
    return merged(json.loads(f"[{joined or ''}]"))


def percentile(counts: Counts, share: float) -> float | None:
    """Return the milliseconds within which a share (0 to 1) of the first tokens came; None if there were none.

    Within a class the times count as evenly spread. Of what came after the last bound nothing more is known, so that
    it counts as having come at that bound.
    """
    rank = share * sum(counts)
    if not any(counts):
        return None
    number, upto = next((number, upto) for number, upto in enumerate(accumulate(counts)) if upto and upto >= rank)
    if number == len(FIRST_TOKEN_BOUNDS):
        return float(FIRST_TOKEN_BOUNDS[-1])
    low = FIRST_TOKEN_BOUNDS[number - 1] if number else 0
    inside = 1 - (upto - rank) / counts[number]
    return low + (FIRST_TOKEN_BOUNDS[number] - low) * inside
