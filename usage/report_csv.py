"""The report as comma-separated values."""

import csv
from collections.abc import Iterator

from usage.report import Line, Report

HEADERS = (
    *("day", "model", "key_prefix", "key_name", "requests", "errors", "prompt_tokens", "cached_tokens"),
    *("completion_tokens", "total_ms", "first_token_p50_ms", "first_token_p95_ms"),
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_rows(report: Report) -> Iterator[str]:
    """Yield the file's rows, one by one. Numbers are written alike in all languages."""
    writer = csv.writer(_Echo())
    yield writer.writerow(HEADERS)
    for line in report.lines():
        yield writer.writerow([_harmless(value) for value in _values(line)])


def _values(line: Line) -> list[object]:
    sums = line.sums
    times = [sums.first_token_ms(share) for share in (0.5, 0.95)]
    return [
        *(line.day, line.model, line.key, line.key_name, sums.requests, sums.errors, sums.prompt_tokens),
        *(sums.cached_tokens, sums.completion_tokens, sums.total_ms),
        *("" if time is None else round(time) for time in times),
    ]


def _harmless(value: object) -> object:
    """Keep a spreadsheet from running a name as a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
