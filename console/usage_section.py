"""The part of the dashboard that says what requests have come to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from console.live import percent
from console.usage_charts import Places, together, usage_charts, whole
from registry.formatting import human_count
from usage.formatting import human_ms
from usage.models import UsageStep
from usage.period import DAY, PERIODS, Period
from usage.sums import Sums, busiest_models, by_step

NAMED = 5  # models with a colour and a line of their own
CHOICES = 200  # models in the filter
OTHERS = ""  # stands for all models that have no colour, and for names that no model has


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
    """Return what the template shows. Two queries, of the sums of hours or days."""
    period = question.period
    starts = period.starts(now)
    models = busiest_models(period.length, starts[0], CHOICES)
    named = [question.model] if question.model else models[:NAMED]
    places = _places(period, starts, named, has_others=not question.model)
    total = together(sums for place in places for sums in place.values())
    names = _names(named, places)
    return {
        "question": question,
        "periods": [(each, question.query(range=each.name)) for each in PERIODS.values()],
        "choices": sorted({*models, question.model} - {""}),
        "tiles": _tiles(total),
        "charts": usage_charts(period, starts, places, names) if total.requests else [],
        "models": [_model_row(name, shown, places, question) for name, shown in names.items()],
    }


def sums_version() -> str:
    """Return a text that changes with every request that is summed up."""
    last = UsageStep.objects.filter(length=UsageStep.HOUR, model=UsageStep.ALL_MODELS).order_by("-start").first()
    return f"{last.start:%d-%H}-{last.requests}" if last else ""


def _places(period: Period, starts: list[datetime], named: list[str], has_others: bool) -> Places:
    """Return the sums of each step: those of the named models, and those of all others together, if there are any."""
    found = by_step(period.length, starts[0], [*named, *([UsageStep.ALL_MODELS] if has_others else ())])
    places = []
    for start in starts:
        place = {name: found[start, name] for name in named if (start, name) in found}
        if all_models := found.get((start, UsageStep.ALL_MODELS)):
            others = all_models.without(together(place.values()))
            place |= {OTHERS: others} if others.requests else {}
        places.append(place)
    return places


def _names(named: list[str], places: Places) -> dict[str, str]:
    """Return the names of models and how they are shown, those that have no colour of their own as one."""
    has_others = any(OTHERS in place for place in places)
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


def _model_row(name: str, shown: str, places: Places, question: Question) -> dict[str, Any]:
    sums = together(place[name] for place in places if name in place)
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
