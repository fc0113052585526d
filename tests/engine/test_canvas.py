"""Masked places and the order in which they get their tokens."""

from inference.engine.canvas import BLOCK, CONFIDENT, Canvas, Fixed, sure_places

MASK = 9


def taken(canvas):
    return [fixed.token for fixed in canvas.take()]


def test_all_places_are_masked_at_first():
    canvas = Canvas(start=5, length=3, mask=MASK)
    assert (canvas.start, canvas.tokens, canvas.block) == (5, [MASK] * 3, [0, 1, 2])
    assert taken(canvas) == []


def test_what_has_a_masked_place_before_it_waits():
    canvas = Canvas(0, 4, MASK)
    canvas.fix(1, Fixed(11))
    assert (canvas.tokens, canvas.block, taken(canvas)) == ([MASK, 11, MASK, MASK], [0, 2, 3], [])
    canvas.fix(0, Fixed(10))
    assert taken(canvas) == [10, 11]
    assert taken(canvas) == []
    canvas.fix(2, Fixed(MASK))  # a token like any other once it is there
    assert (taken(canvas), canvas.block) == ([MASK], [3])


def test_a_block_is_filled_before_the_next_one():
    canvas = Canvas(0, 2 * BLOCK + 3, MASK)
    assert canvas.block == list(range(BLOCK))
    for place in range(BLOCK - 1):
        canvas.fix(place, Fixed(place))
    assert canvas.block == [BLOCK - 1]
    canvas.fix(BLOCK - 1, Fixed(0))
    assert canvas.block == list(range(BLOCK, 2 * BLOCK))


def test_nothing_is_wanted_after_an_end():
    canvas = Canvas(0, 2 * BLOCK, MASK)
    canvas.fix(3, Fixed(33, is_end=True))
    canvas.fix(2, Fixed(22))
    assert canvas.block == [0, 1]
    canvas.fix(1, Fixed(11, is_end=True))
    assert canvas.block == [0]
    canvas.fix(0, Fixed(0))
    assert (canvas.block, taken(canvas)) == ([], [0, 11])


def test_the_surest_place_and_all_that_are_sure_get_their_tokens():
    assert sure_places({4: 0.2, 5: 0.3, 7: 0.1}) == [5]
    assert sure_places({4: 0.3, 5: 0.3}) == [4]
    assert sure_places({4: CONFIDENT, 5: 0.99, 6: 0.89}) == [4, 5]
