"""Sums of requests, which cost the same however many requests there were."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Sum

from usage.models import UsageHour, UsageStep
from usage.percentiles import counts_of, merged, percentile
from usage.rows import SUMMED

SUMS = {f"{name}_sum": Sum(name) for name in SUMMED}


@dataclass
class Sums:
    """What some requests took together. first_token_counts: as those of an hour, [] if there were no first tokens."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    total_ms: int = 0
    first_token_counts: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Sums":
        """Return those of a row with the annotations SUMS and, if it has it, `first_tokens`."""
        sums = {name: row[f"{name}_sum"] or 0 for name in SUMMED}
        return cls(**sums, first_token_counts=counts_of(row.get("first_tokens")))

    def add(self, more: "Sums") -> None:
        """Add those of other requests."""
        for each in fields(self):
            if each.name != "first_token_counts":
                setattr(self, each.name, getattr(self, each.name) + getattr(more, each.name))
        self.first_token_counts = merged([self.first_token_counts, more.first_token_counts])

    def without(self, part: "Sums") -> "Sums":
        """Return those of the other requests; `part` is of some of these."""
        less = {each.name: getattr(self, each.name) - getattr(part, each.name) for each in fields(self)[:-1]}
        counts = part.first_token_counts or [0] * len(self.first_token_counts)
        return Sums(**less, first_token_counts=[a - b for a, b in zip(self.first_token_counts, counts, strict=True)])

    @property
    def tokens(self) -> int:
        """Those of prompts and answers."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cached_share(self) -> float | None:
        """The part of the prompts' tokens that did not have to be computed; None without prompts."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    def first_token_ms(self, share: float) -> float | None:
        """Return the milliseconds within which a share of the first tokens came; None if there were none."""
        return percentile(self.first_token_counts, share)


def hours_between(start: datetime, end: datetime | None = None, model: str = "", key: str = "") -> QuerySet[UsageHour]:
    """Return the hours from `start` until before `end`; only those of a model and of a key's prefix, if given."""
    hours = UsageHour.objects.filter(hour__gte=start).order_by()
    hours = hours.filter(hour__lt=end) if end else hours
    hours = hours.filter(model=model) if model else hours
    return hours.filter(key_prefix=key) if key else hours


def steps_from(length: str, start: datetime) -> QuerySet[UsageStep]:
    """Return the hours or days from `start` on, with all keys together."""
    return UsageStep.objects.filter(length=length, key_prefix=UsageStep.ALL_KEYS, start__gte=start).order_by()


def key_days_from(start: datetime) -> QuerySet[UsageStep]:
    """Return the days of each key from `start` on, with all models together."""
    days = UsageStep.objects.filter(length=UsageStep.DAY, model=UsageStep.ALL_MODELS, start__gte=start)
    return days.exclude(key_prefix=UsageStep.ALL_KEYS).order_by()


def busiest_models(length: str, start: datetime, most: int) -> list[str]:
    """Return the names of the models that were asked most often since `start`."""
    steps = steps_from(length, start).exclude(model__in=("", UsageStep.ALL_MODELS))
    counted = steps.values("model").annotate(count=Sum("requests")).order_by("-count", "model")
    return [row["model"] for row in counted[:most]]


def by_step(length: str, start: datetime, models: Iterable[str]) -> dict[tuple[datetime, str], Sums]:
    """Return the sums of each hour or day since `start`, of each of the models, which may be UsageStep.ALL_MODELS."""
    rows = steps_from(length, start).filter(model__in=models)
    return {
        (row.start, row.model): Sums(**{each.name: getattr(row, each.name) for each in fields(Sums)}) for row in rows
    }
