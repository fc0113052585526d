"""The parts in which a long prompt is computed."""

import pytest

from inference.engine.prompt_parts import PLAIN, prompt_parts

FLASH = prompt_parts("on")


@pytest.mark.parametrize(
    ("left", "remaining", "is_beside", "part"),
    [
        (100, 500, False, 64),
        (128, 500, False, 128),
        (128, 500, True, 65),
        (129, 500, True, 129),
        (65, 500, True, 65),
        (64, 500, True, 64),  # less than a tile and the one: there is no better part
        (100, 90, True, 90),
        (100, 100, True, 100),
    ],
)
def test_flash_attention_gets_whole_tiles(left, remaining, is_beside, part):
    assert FLASH.next_part(left, remaining, is_beside) == part


@pytest.mark.parametrize("is_beside", [False, True])
def test_without_it_all_that_fits_is_computed(is_beside):
    assert prompt_parts("off") == PLAIN
    assert PLAIN.next_part(100, 500, is_beside) == 100
    assert PLAIN.next_part(100, 70, is_beside) == 70


def test_the_least_part_has_a_whole_tile_beside_others():
    assert FLASH.next_part(FLASH.least, 500, is_beside=True) == FLASH.tile + 1
    assert prompt_parts("auto") == FLASH
