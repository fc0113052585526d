"""From timings to the figures of a table."""

from dataclasses import asdict, dataclass
from itertools import pairwise

from rich.table import Table

from inference.bench.load import Timing


@dataclass(frozen=True)
class Figures:
    """One row: tokens per second of all clients together; seconds to the first token; milliseconds between tokens."""

    scenario: str
    clients: int
    requests: int
    tokens_per_second: float
    first_token_p50: float
    first_token_p95: float
    gap_p50: float
    gap_p99: float
    gap_max: float


def figures(scenario: str, clients: int, timings: list[Timing], seconds: float) -> Figures:
    first = [timing.arrivals[0] - timing.started for timing in timings if timing.arrivals]
    gaps = [(after - before) * 1000 for timing in timings for before, after in pairwise(timing.arrivals)]
    return Figures(
        scenario=scenario,
        clients=clients,
        requests=len(timings),
        tokens_per_second=round(sum(timing.completion_tokens for timing in timings) / seconds, 1),
        first_token_p50=round(percentile(first, 50), 3),
        first_token_p95=round(percentile(first, 95), 3),
        gap_p50=round(percentile(gaps, 50), 1),
        gap_p99=round(percentile(gaps, 99), 1),
        gap_max=round(max(gaps, default=0.0), 1),
    )


def percentile(values: list[float], percent: int) -> float:
    """Return the smallest value that at least `percent` % do not exceed; 0 of an empty list."""
    if not values:
        return 0.0
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank - 1, 0)]


def as_table(rows: list[Figures]) -> Table:
    table = Table()
    table.add_column("scenario")
    for title in ("clients", "requests", "tok/s", "first token p50", "p95", "gap p50", "p99", "max"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.scenario,
            str(row.clients),
            str(row.requests),
            f"{row.tokens_per_second:.1f}",
            f"{row.first_token_p50:.2f} s",
            f"{row.first_token_p95:.2f} s",
            f"{row.gap_p50:.0f} ms",
            f"{row.gap_p99:.0f} ms",
            f"{row.gap_max:.0f} ms",
        )
    return table


def as_json(rows: list[Figures]) -> list[dict]:
    return [asdict(row) for row in rows]
