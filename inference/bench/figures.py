"""From timings to figures, and from the figures of several rounds to one."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.bench.load import Load

# One server's figures of one round, by the keys of the columns; None is a figure that this server cannot tell.
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Column:
    """A figure as people read it. `unit` is one of FORMATS."""

    key: str
    title: str
    unit: str

    def text(self, value: float | None) -> str:
        return "–" if value is None else FORMATS[self.unit].format(value)


FORMATS = {"tok/s": "{:.1f}", "s": "{:.2f} s", "ms": "{:.0f} ms", "%": "{:.1f} %", "×": "{:.2f}"}

TOKENS_PER_SECOND = Column("tokens_per_second", "tok/s", "tok/s")
FIRST_TOKEN_P50 = Column("first_token_p50", "first token p50", "s")
FIRST_TOKEN_P95 = Column("first_token_p95", "first token p95", "s")
FIRST_TOKEN_MEAN = Column("first_token_mean", "first token mean", "s")
GAP_P50 = Column("gap_p50", "gap p50", "ms")
GAP_P99 = Column("gap_p99", "gap p99", "ms")
GAP_MAX = Column("gap_max", "gap max", "ms")
SPEED = (TOKENS_PER_SECOND, FIRST_TOKEN_P50, FIRST_TOKEN_P95, GAP_P50, GAP_P99, GAP_MAX)


def speed(load: Load) -> Figures:
    """Return tokens per second of all clients together, seconds to the first token, milliseconds between tokens."""
    first = [timing.first_token for timing in load.timings]
    return {
        "tokens_per_second": sum(timing.completion_tokens for timing in load.timings) / load.seconds,
        "first_token_p50": percentile(first, 50),
        "first_token_p95": percentile(first, 95),
        **gap_figures(gap for timing in load.timings for gap in timing.gaps),
    }


def gap_figures(gaps: Iterable[float]) -> Figures:
    """Return figures in milliseconds of gaps in seconds; None of no gaps."""
    gaps = [gap * 1000 for gap in gaps]
    if not gaps:
        return {"gap_p50": None, "gap_p99": None, "gap_max": None}
    return {"gap_p50": percentile(gaps, 50), "gap_p99": percentile(gaps, 99), "gap_max": max(gaps)}


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least `percent` % do not exceed."""
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank - 1, 0)]


def share(part: Iterable[int | None], whole: Iterable[int]) -> float | None:
    """Return the sum of `part` in percent of that of `whole`; None if a part is not known, or there is no whole."""
    parts, total = list(part), sum(whole)
    return None if None in parts or not total else 100 * sum(parts) / total


def medians(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure; None where a round has none."""
    return {key: _median([figures[key] for figures in rounds]) for key in rounds[0]}


def ratios(ours: Sequence[Figures], theirs: Sequence[Figures]) -> list[Figures]:
    """Return ours ÷ theirs, figure by figure and round by round; None where one of them is missing, or theirs is 0."""
    return [{key: _quotient(mine[key], other[key]) for key in mine} for mine, other in zip(ours, theirs, strict=True)]


def _median(values: list[float | None]) -> float | None:
    return None if None in values else statistics.median(values)


def _quotient(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else ours / theirs
