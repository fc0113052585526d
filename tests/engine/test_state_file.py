"""State files: what is written comes back, and whatever happens to a file is noticed."""

import io
import struct
import zlib

import numpy as np
import pytest

from inference.engine.entry import Checkpoint
from inference.engine.state_file import (
    COUNTS,
    PART,
    PIECE,
    PREFIX,
    Saved,
    StateFileError,
    Stopped,
    read_header,
    read_states,
    write_state,
)

FINGERPRINT = b"0123456789abcdef"
TOKENS = [5, 151_935, 0, 7]


def state(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.uint32).astype(np.uint8)


SAVED = Saved(TOKENS, state(1000), (Checkpoint(1, state(10)), Checkpoint(3, state(20))))


def written(saved: Saved = SAVED) -> bytes:
    file = io.BytesIO()
    write_state(file, FINGERPRINT, saved, lambda: True)
    return file.getvalue()


def read(content: bytes, fingerprint: bytes = FINGERPRINT) -> Saved:
    file = io.BytesIO(content)
    return read_states(file, read_header(file, fingerprint, len(content)), lambda: True)


@pytest.mark.parametrize("saved", [SAVED, Saved([1], state(0)), Saved([1, 2], state(2 * PIECE + 5))])
def test_what_is_written_is_read(saved):
    content = written(saved)
    found = read(content)
    assert len(content) == saved.num_bytes
    assert found.tokens == saved.tokens
    assert np.array_equal(found.state, saved.state)
    assert [each.length for each in found.checkpoints] == [each.length for each in saved.checkpoints]
    for ours, theirs in zip(found.checkpoints, saved.checkpoints, strict=True):
        assert np.array_equal(ours.state, theirs.state)


def test_the_header_tells_what_is_there():
    header = read_header(io.BytesIO(written()), FINGERPRINT, SAVED.num_bytes)
    assert (header.tokens, header.lengths) == (TOKENS, [1, 3])


def test_every_flipped_bit_is_noticed():
    content = written()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(StateFileError):
            read(bytes(damaged))


def test_every_cut_is_noticed():
    content = written()
    for length in range(len(content)):
        with pytest.raises(StateFileError):
            read(content[:length])
    with pytest.raises(StateFileError, match="size"):
        read(content + b"0")


def test_a_file_that_shrinks_while_it_is_read_is_noticed():
    content = written()
    file = io.BytesIO(content[:-1])
    with pytest.raises(StateFileError, match="cut off"):
        read_states(file, read_header(file, FINGERPRINT, len(content)), lambda: True)


def test_another_models_file_is_refused():
    with pytest.raises(StateFileError, match="another model"):
        read(written(), b"f" * 16)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        COUNTS.pack(FINGERPRINT, 100, 1),
        COUNTS.pack(FINGERPRINT, 0, 0),
        COUNTS.pack(FINGERPRINT, 0, 2) + PART.pack(0, 0, 0),
        COUNTS.pack(FINGERPRINT, 0, 1) + PART.pack(0, 0, 0) + b"0",
        struct.pack("<I", 2**32 - 1) * 8,
    ],
)
def test_a_header_that_makes_no_sense_is_refused(header):
    """Its checksum is right: somebody wrote nonsense."""
    start = PREFIX.pack(b"llmsite\n", 1, len(header), zlib.crc32(header))
    with pytest.raises(StateFileError):
        read(start + header)


def test_reading_and_writing_can_be_stopped():
    with pytest.raises(Stopped):
        write_state(io.BytesIO(), FINGERPRINT, SAVED, lambda: False)
    file = io.BytesIO(written())
    header = read_header(file, FINGERPRINT, SAVED.num_bytes)
    with pytest.raises(Stopped):
        read_states(file, header, lambda: False)
