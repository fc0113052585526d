"""Charts of what requests have come to, step by step."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from console.charts import Chart, Series
from registry.formatting import human_count
from usage.formatting import human_ms
from usage.models import UsageStep
from usage.period import Period
from usage.sums import Sums

Places = list[dict[str, Sums]]  # for each step, the sums by model
LABELS = {UsageStep.HOUR: "H:i", UsageStep.DAY: "j M"}


def usage_charts(period: Period, starts: list[datetime], places: Places, names: dict[str, str]) -> list[Chart]:
    """Return the charts of requests, tokens and times. names: models that have a colour, and how they are shown."""
    labels = [date_format(start, LABELS[period.length]) for start in starts]

    def stacked(title: str, value: Callable[[Sums], int], shown: Callable[[float], str]) -> Chart:
        rows = ([value(place.get(name, Sums())) for place in places] for name in names)
        return Chart(title, labels, [Series(*pair) for pair in zip(names.values(), rows, strict=True)], shown)

    totals = [together(place.values()) for place in places]
    times = [
        Series(text, [total.first_token_ms(share) for total in totals])
        for text, share in ((_("median"), 0.5), (_("95 of 100"), 0.95))
    ]
    return [
        stacked(_("Requests"), lambda sums: sums.requests, whole),
        stacked(_("Tokens generated"), lambda sums: sums.completion_tokens, lambda count: human_count(round(count))),
        Chart(_("Time to the first token"), labels, times, human_ms, is_stacked=False),
    ]


def together(sums: Iterable[Sums]) -> Sums:
    """Return the sum of sums."""
    total = Sums()
    for each in sums:
        total.add(each)
    return total


def whole(number: float) -> str:
    """Return a whole number with its thousands set apart."""
    return number_format(round(number), force_grouping=True)
