"""Times as people read them."""

import pytest

from usage.formatting import human_ms


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (0, "0 ms"), (87.5, "88 ms"), (999, "999 ms"), (1500, "1.5 s"), (83_000, "83 s"), (300_000, "300 s")],
)
def test_times_are_short(milliseconds, text):
    assert human_ms(milliseconds) == text
