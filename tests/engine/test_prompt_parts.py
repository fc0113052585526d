"""The parts in which a long prompt is computed."""

import pytest

from inference.engine.prompt_parts import PLAIN, prompt_parts

FLASH = prompt_parts("on")


@pytest.mark.parametrize(
    ("left", "remaining", "part"),
    [
        (95, 500, 64),  # less than half of the second tile would be of use
        (96, 500, 96),
        (128, 500, 128),
        (150, 500, 128),
        (170, 500, 170),
        (50, 500, 50),  # less than a tile: there is no better part
        (100, 90, 90),
        (100, 100, 100),
    ],
)
def test_flash_attention_gets_tiles_that_are_mostly_full(left, remaining, part):
    assert FLASH.next_part(left, remaining) == part


def test_without_it_all_that_fits_is_computed():
    assert prompt_parts("off") == PLAIN
    assert PLAIN.next_part(100, 500) == 100
    assert PLAIN.next_part(100, 70) == 70


def test_the_least_part_is_a_whole_tile():
    assert FLASH.next_part(FLASH.least, 500) == FLASH.tile
    assert prompt_parts("auto") == FLASH
