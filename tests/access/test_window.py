"""Window: what counts, and until when."""

from access.window import Window


def window(*uses: tuple[float, int]) -> Window:
    window = Window(60)
    for at, amount in uses:
        window.add(amount, at)
    return window


def test_a_use_counts_for_exactly_a_minute():
    uses = window((0, 1), (10, 2))
    assert [uses.used(now) for now in (10, 59.9, 60, 69.9, 70)] == [3, 3, 2, 2, 0]


def test_below_the_limit_nobody_waits():
    level = window((0, 1), (10, 1)).level(3, 20)
    assert (level.remaining, level.wait, level.reset) == (1, 0, 50)


def test_at_the_limit_the_oldest_use_has_to_pass():
    level = window((0, 1), (10, 1), (11, 1)).level(3, 20)
    assert (level.remaining, level.wait, level.reset) == (0, 40, 51)


def test_far_above_the_limit_several_have_to_pass():
    level = window((0, 100), (10, 900), (20, 5)).level(100, 30)
    assert (level.used, level.remaining, level.wait) == (1005, 0, 40)


def test_an_unused_window_is_free():
    level = window().level(5, 100)
    assert (level.used, level.remaining, level.wait, level.reset) == (0, 5, 0, 0)
