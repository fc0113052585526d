"""Who used what: the sums of some days by day, model and key."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from itertools import groupby
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from access.models import APIKey
from usage.aggregates import JoinedJSON
from usage.models import UsageStep
from usage.sums import SUMS, Sums, hours_between, key_days_from, steps_from

GROUPS = {"day": _("day"), "model": _("model"), "key": _("API key")}
COLUMNS = {"day": "hour", "model": "model", "key": "key_prefix"}


@dataclass(frozen=True)
class Line:
    """A line of the report; what it is not grouped by is None. key: its prefix, "" for requests without one."""

    day: date | None
    model: str | None
    key: str | None
    key_name: str
    sums: Sums


@dataclass(frozen=True)
class Report:
    """The sums from the day `first` to the day `last`, both included, of UTC.

    groups: some of GROUPS. model, key (a key's prefix): only theirs; empty for all.
    """

    first: date
    last: date
    groups: tuple[str, ...]
    model: str = ""
    key: str = ""

    @property
    def hours(self) -> QuerySet:
        """What the report is made of: the days that are summed up already, unless it is about models and keys."""
        start, end = _midnight(self.first), _midnight(self.last + timedelta(days=1))
        needs_models = bool(self.model) or "model" in self.groups
        needs_keys = bool(self.key) or "key" in self.groups
        if needs_models and needs_keys:
            return hours_between(start, end, self.model, self.key)
        days = key_days_from(start) if needs_keys else steps_from(UsageStep.DAY, start)
        days = days.filter(start__lt=end).annotate(hour=F("start"))
        if needs_keys:
            return days.filter(key_prefix=self.key) if self.key else days
        if needs_models and not self.model:
            return days.exclude(model=UsageStep.ALL_MODELS)
        return days.filter(model=self.model or UsageStep.ALL_MODELS)

    def total(self) -> Sums:
        """Return the sums of everything, which are the same whatever they are grouped by."""
        rows = replace(self, groups=()).hours
        return Sums.of(rows.aggregate(**SUMS, first_tokens=JoinedJSON("first_token_counts")))

    def lines(self) -> Iterator[Line]:
        """Yield the lines, the latest day first, and within it those with the most requests."""
        names = key_names() if "key" in self.groups else {}
        rows = self._rows().iterator()
        if "day" not in self.groups:
            yield from (_line(None, row, names) for row in rows)
            return
        for day, rows_of_day in groupby(rows, key=lambda row: row["hour"].astimezone(timezone.utc).date()):
            yield from _lines_of_day(day, rows_of_day, names)

    def _rows(self) -> QuerySet:
        """Return the sums by hour rather than by day: SQLite would call Python for each row to find its day."""
        columns = [COLUMNS[name] for name in self.groups]
        rows = self.hours.values(*columns).annotate(**SUMS, first_tokens=JoinedJSON("first_token_counts"))
        return rows.order_by("-hour" if "day" in self.groups else "-requests_sum", *columns)


def key_names() -> dict[str, str]:
    """Return the names of the keys there are, by their prefixes."""
    return dict(APIKey.objects.values_list("prefix", "name"))


def _lines_of_day(day: date, rows: Iterable[dict[str, Any]], names: dict[str, str]) -> list[Line]:
    lines: dict[tuple[str | None, str | None], Line] = {}
    for row in rows:
        line = _line(day, row, names)
        known = lines.setdefault((line.model, line.key), line)
        if known is not line:
            known.sums.add(line.sums)
    return sorted(lines.values(), key=lambda line: -line.sums.requests)


def _line(day: date | None, row: dict[str, Any], names: dict[str, str]) -> Line:
    key = row.get("key_prefix")
    return Line(day, row.get("model"), key, names.get(key, ""), Sums.of(row))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)
