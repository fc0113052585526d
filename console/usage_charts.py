"""Charts of what requests have come to, step by step."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from console.charts import Chart, Series
from registry.formatting import human_count
from usage.formatting import human_ms
from usage.period import Period
from usage.sums import Sums

Hours = dict[tuple[datetime, str], Sums]
LABELS = {1: "H:i", 6: "j M H:i", 24: "j M"}  # by the hours of a step


def usage_charts(period: Period, starts: list[datetime], hours: Hours, names: dict[str, str]) -> list[Chart]:
    """Return the charts of requests, tokens and times. names: models that have a colour, and how they are shown."""
    places = _places(period, starts, hours)
    labels = [date_format(start, LABELS[period.step // timedelta(hours=1)]) for start in starts]

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


def _places(period: Period, starts: list[datetime], hours: Hours) -> list[dict[str, Sums]]:
    """Return the sums by model for each step of the period."""
    places: list[dict[str, Sums]] = [{} for _start in starts]
    for (hour, name), sums in hours.items():
        place = places[min((hour - starts[0]) // period.step, len(starts) - 1)]
        place.setdefault(name, Sums()).add(sums)
    return places
