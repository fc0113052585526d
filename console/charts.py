"""Charts as SVG that the server draws: no script, and every number is in the page's text, too.

The drawing is stretched to the width of the page. So there is no text in it, and lines keep their width
(`vector-effect` in the style sheet).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10

HEIGHT = 100  # of the drawing, in its own units
STEP = 10  # width of one place on the x axis
GAP = 2  # between two bars

Values = Sequence[float | None]


@dataclass(frozen=True)
class Series:
    """One colour of a chart; None where there is nothing to show."""

    name: str
    values: Values


@dataclass(frozen=True)
class Chart:
    """labels: of the places on the x axis. shown: how a value is written."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    shown: Callable[[float], str]
    is_stacked: bool = True

    @property
    def width(self) -> int:
        return STEP * len(self.labels)

    @property
    def is_empty(self) -> bool:
        return not any(value for each in self.series for value in each.values)

    @property
    def top(self) -> float:
        """The value at the upper edge."""
        if self.is_stacked:
            columns = zip(*(each.values for each in self.series), strict=True)
            return nice(max((sum(value or 0 for value in column) for column in columns), default=0))
        return nice(max((value or 0 for each in self.series for value in each.values), default=0))

    @property
    def ticks(self) -> list[str]:
        """What stands beside the upper edge, the middle and the lower edge."""
        return [self.shown(self.top), self.shown(self.top / 2), self.shown(0)]

    @property
    def edges(self) -> list[str]:
        """The labels below the left edge, the middle and the right edge."""
        labels = list(self.labels)
        return [labels[0], labels[len(labels) // 2], labels[-1]] if labels else []

    def bars(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """Return for each place what it says and its rectangles, each as the number of its series and a path."""
        return [(self.said(place), self._stack(place)) for place in range(len(self.labels))]

    def _stack(self, place: int) -> list[tuple[int, str]]:
        found, below, top = [], 0.0, self.top
        for number, each in enumerate(self.series):
            value = each.values[place] or 0
            if value:
                low, high = HEIGHT * (1 - below / top), HEIGHT * (1 - (below + value) / top)
                left, right = STEP * place + GAP / 2, STEP * (place + 1) - GAP / 2
                found.append((number, f"M{left:g} {low:.2f}V{high:.2f}H{right:g}V{low:.2f}Z"))
            below += value
        return found

    def lines(self) -> list[tuple[int, str]]:
        """Return the number of each series and its path; lines are broken where there is no value."""
        return [(number, self._line(each.values)) for number, each in enumerate(self.series)]

    def _line(self, values: Values) -> str:
        path, is_drawing = [], False
        for place, value in enumerate(values):
            if value is not None:
                x, y = STEP * (place + 0.5), HEIGHT * (1 - value / self.top)
                path.append(f"{'L' if is_drawing else 'M'}{x:g} {y:.2f}")
                if not is_drawing and (place + 1 == len(values) or values[place + 1] is None):
                    path.append("h0.01")  # one value alone is a dot
            is_drawing = value is not None
        return "".join(path)

    def columns(self) -> list[tuple[int, str]]:
        """Return the left edge of each place and what it says."""
        return [(STEP * place, self.said(place)) for place in range(len(self.labels))]

    def said(self, place: int) -> str:
        """Return all values of one place as a text; those that are nothing are left out."""
        values = [(each.name, each.values[place]) for each in self.series]
        texts = [f"{name} {self.shown(value)}" for name, value in values if value]
        return f"{self.labels[place]}: {', '.join(texts) or self.shown(0)}"

    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the label and the values of each place, for the table."""
        columns = zip(*(each.values for each in self.series), strict=True)
        texts = [["–" if value is None else self.shown(value) for value in column] for column in columns]
        return list(zip(self.labels, texts, strict=True))


def nice(most: float) -> float:
    """Return the next number at or above `most` that is 1, 2 or 5 times a power of ten, and at least 2."""
    if most <= 2:
        return 2.0
    power = 10.0 ** floor(log10(most))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most)
