"""Messages in a stream of bytes that comes in pieces of any size."""

import pytest

from inference.engine.framing import HEADER, LARGEST, FrameReader, FramingError, pack
from inference.engine.messages import Output, StepOutputs

MESSAGES = [StepOutputs(()), StepOutputs((Output("r", "text"), Output("q", "é" * 300))), "text", 7]
STREAM = b"".join(map(pack, MESSAGES))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 100, len(STREAM) - 1, len(STREAM)])
def test_messages_come_whole_and_in_order_however_the_bytes_do(size):
    reader = FrameReader()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [message for piece in pieces for message in reader.feed(piece)] == MESSAGES


def test_a_message_comes_with_its_last_byte():
    reader = FrameReader()
    frame = pack("text")
    assert list(reader.feed(frame[:-1])) == []
    assert list(reader.feed(frame[-1:] + frame[:2])) == ["text"]
    assert list(reader.feed(frame[2:])) == ["text"]


def test_what_comes_before_nonsense_is_still_read():
    messages = FrameReader().feed(pack("text") + HEADER.pack(3) + b"???")
    assert next(messages) == "text"
    with pytest.raises(FramingError, match="3 bytes are no message"):
        next(messages)


def test_a_size_that_cannot_be_is_refused_before_anything_is_read():
    with pytest.raises(FramingError, match="cannot be"):
        list(FrameReader().feed(HEADER.pack(LARGEST + 1)))


def test_a_message_is_not_read_again_when_its_reader_has_failed():
    reader = FrameReader()
    next(reader.feed(pack("one") + pack("two")))
    assert list(reader.feed(pack("three"))) == ["two", "three"]
