"""A straight line through measured points."""

import math

FORGETTING = 0.95  # what is left of a point's weight after the next one


class Line:
    """A fit in which the newest points count most; it neither falls nor starts below 0.

    Points that hardly differ in x do not tell how steep it is. Then it goes on as steeply as before through their
    middle; at first it starts at 0, or is level, if `is_flat`. weight: that of all points, 0 for none.
    """

    def __init__(self, is_flat: bool = False) -> None:
        self.weight = self.start = self.slope = 0.0
        self._steepness = 0.0 if is_flat else math.inf  # as far as known
        self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        self.weight = self.weight * FORGETTING + 1
        self._x = self._x * FORGETTING + x
        self._y = self._y * FORGETTING + y
        self._xx = self._xx * FORGETTING + x * x
        self._xy = self._xy * FORGETTING + x * y
        self.slope = self._fitted_slope()
        self.start = max(self._y - self.slope * self._x, 0.0) / self.weight

    def at(self, x: float) -> float:
        return self.start + self.slope * x

    def _fitted_slope(self) -> float:
        if self._x <= 0 or self._y <= 0:
            return 0.0
        steepest = self._y / self._x
        spread = self._xx - self._x * self._x / self.weight
        if spread < self._xx / 20:
            return min(self._steepness, steepest)
        self._steepness = min(max((self._xy - self._x * self._y / self.weight) / spread, 0.0), steepest)
        return self._steepness
