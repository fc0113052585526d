"""Detokenizer: whole characters only, and never a stop string."""

import pytest

from inference.engine.detokenizer import Detokenizer, overlap


def feed(pieces: list[bytes], *stop: str) -> tuple[list[str], Detokenizer]:
    detokenizer = Detokenizer(stop)
    return [detokenizer.feed(piece) for piece in pieces], detokenizer


def test_text_comes_out_at_once():
    assert feed([b"a", b"b"])[0] == ["a", "b"]


def test_a_character_in_several_tokens_comes_out_whole():
    pieces = [bytes([byte]) for byte in "й🙂".encode()]
    assert feed(pieces)[0] == ["", "й", "", "", "", "🙂"]


def test_an_unfinished_last_character_is_dropped():
    texts, detokenizer = feed([b"a", "й".encode()[:1]])
    assert ["".join(texts), detokenizer.finish()] == ["a", ""]


def test_invalid_bytes_become_replacement_characters():
    assert "".join(feed([b"a\xffb"])[0]) == "a\ufffdb"


@pytest.mark.parametrize("pieces", [[b"one STOP two"], [b"one ", b"ST", b"OP two"], [b"one S", b"T", b"O", b"P"]])
def test_a_stop_string_is_found_across_tokens(pieces):
    texts, detokenizer = feed(pieces, "STOP")
    assert "".join(texts) == "one "
    assert detokenizer.stopped
    assert detokenizer.finish() == ""


def test_only_what_may_become_a_stop_string_is_held_back():
    texts, detokenizer = feed([b"xS", b"T", b"x"], "STOP")
    assert texts == ["x", "", "STx"]
    assert not detokenizer.stopped


def test_finish_returns_what_was_held_back():
    texts, detokenizer = feed([b"aST"], "STOP")
    assert (texts, detokenizer.finish()) == (["a"], "ST")


def test_the_earliest_of_several_stop_strings_wins():
    texts, _ = feed([b"a--b;;c"], ";;", "--")
    assert texts == ["a"]


@pytest.mark.parametrize(
    ("text", "marker", "length"),
    [("aab", "abc", 2), ("x", "abc", 0), ("abc", "abc", 0), ("", "a", 0), ("aa", "aab", 2)],
)
def test_overlap(text, marker, length):
    assert overlap(text, marker) == length
