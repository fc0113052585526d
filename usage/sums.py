"""Sums of the hours, which cost the same however many requests there were."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, QuerySet, Sum, Value, When

from usage.aggregates import JoinedJSON
from usage.models import UsageHour
from usage.percentiles import counts_of, merged, percentile

SUMMED = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "total_ms")
SUMS = {f"{name}_sum": Sum(name) for name in SUMMED}
OTHERS = ""  # stands for all models that are not shown by name


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


def by_model(hours: QuerySet[UsageHour]) -> dict[str, Sums]:
    """Return each model's sums without first tokens, those with the most requests first."""
    rows = hours.values("model").annotate(**SUMS).order_by("-requests_sum", "model")
    return {row["model"]: Sums.of(row) for row in rows}


def by_hour(hours: QuerySet[UsageHour], named: list[str]) -> dict[tuple[datetime, str], Sums]:
    """Return the sums by hour and model; those models that are not `named` are taken together as OTHERS."""
    whens = [When(model=name, then=F("model")) for name in named]
    name = Case(*whens, default=Value(OTHERS), output_field=CharField())
    first_tokens = JoinedJSON("first_token_counts")
    rows = hours.annotate(name=name).values("hour", "name").annotate(**SUMS, first_tokens=first_tokens)
    return {(row["hour"], row["name"]): Sums.of(row) for row in rows}
