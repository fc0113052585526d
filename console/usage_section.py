"""The part of the dashboard that says what requests have come to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from console.live import percent
from console.usage_charts import Hours, together, usage_charts, whole
from registry.formatting import human_count
from usage.formatting import human_ms
from usage.models import UsageHour
from usage.period import DAY, PERIODS, Period
from usage.sums import OTHERS, Sums, by_hour, by_model, hours_between

NAMED = 5  # models with a colour and a line of their own
CHOICES = 200  # models in the filter


@dataclass(frozen=True)
class Question:
    """What somebody wants to see. model: empty for all."""

    period: Period = DAY
    model: str = ""

    @classmethod
    def of(cls, query: Any) -> "Question":
        """Read it from a query string; what is unknown counts as not said."""
        return cls(PERIODS.get(query.get("range", ""), DAY), query.get("model", ""))

    def query(self, **changes: str) -> str:
        """Return it as a query string, with changes."""
        return urlencode({"range": self.period.name, "model": self.model, **changes})


def usage_section(question: Question, now: datetime) -> dict[str, Any]:
    """Return what the template shows; two queries, of the sums by the hour alone."""
    starts = question.period.starts(now)
    models = [name for name in by_model(hours_between(starts[0])) if name]
    named = [question.model] if question.model else models[:NAMED]
    hours = by_hour(hours_between(starts[0], model=question.model), named)
    total = together(hours.values())
    names = _names(named, hours)
    return {
        "question": question,
        "periods": [(each, question.query(range=each.name)) for each in PERIODS.values()],
        "choices": sorted({*models[:CHOICES], question.model} - {""}),
        "tiles": _tiles(total),
        "charts": usage_charts(question.period, starts, hours, names) if total.requests else [],
        "models": [_model_row(name, shown, hours, question) for name, shown in names.items()],
    }


def sums_version() -> str:
    """Return a text that changes with every request that is summed up."""
    last_hours = UsageHour.objects.filter(hour__gte=timezone.now() - timedelta(hours=2))
    found = last_hours.aggregate(requests=Sum("requests"), hour=Max("hour"))
    return f"{found['hour']:%H}-{found['requests']}" if found["hour"] else ""


def _names(named: list[str], hours: Hours) -> dict[str, str]:
    """Return the names of models and how they are shown, those that have no colour of their own as one."""
    has_others = any(name == OTHERS for _hour, name in hours)
    return {name: name for name in named} | ({OTHERS: _("others")} if has_others else {})


def _tiles(total: Sums) -> list[tuple[str, str]]:
    return [
        (_("Requests"), whole(total.requests)),
        (_("Errors"), whole(total.errors)),
        (_("Tokens generated"), human_count(total.completion_tokens)),
        (_("Prompt tokens"), human_count(total.prompt_tokens)),
        (_("Of them cached"), percent(total.cached_tokens, total.prompt_tokens)),
        (_("First token, median"), human_ms(total.first_token_ms(0.5)) or "–"),
    ]


def _model_row(name: str, shown: str, hours: Hours, question: Question) -> dict[str, Any]:
    sums = together(each for (_hour, of), each in hours.items() if of == name)
    return {
        "name": shown,
        "query": question.query(model=name) if name else "",
        "requests": whole(sums.requests),
        "errors": whole(sums.errors),
        "tokens": human_count(sums.completion_tokens),
        "cached": percent(sums.cached_tokens, sums.prompt_tokens),
        "median": human_ms(sums.first_token_ms(0.5)) or "–",
        "slow": human_ms(sums.first_token_ms(0.95)) or "–",
    }
