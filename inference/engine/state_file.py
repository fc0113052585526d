"""A computed sequence in a file: its tokens, its state and its checkpoints, each part with a checksum.

Layout, little-endian: magic, version, size and CRC-32 of the header; the header with the fingerprint, the token ids and
the length, CRC-32 and size of each part; then the parts. The first part is the state after all tokens, the others are
checkpoints. A CRC is enough: it is to find files that were cut off or went bad, nobody is kept from forging one.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from inference.engine.entry import Checkpoint, State

MAGIC = b"llmsite\n"
VERSION = 1
PREFIX = struct.Struct("<8sIII")
COUNTS = struct.Struct("<16sII")  # fingerprint, tokens, parts
PART = struct.Struct("<IIQ")
TOKEN = np.dtype("<i4")
PIECE = 8 * 2**20  # bytes read or written at a time; between two of them it can be stopped


class StateFileError(Exception):
    """A file that is damaged, or not what it should be; the message says how."""


class Stopped(Exception):
    """Reading or writing was given up, because nobody waits for it any more."""


@dataclass(frozen=True)
class Saved:
    """What a file holds. The checkpoints have states of their own."""

    tokens: list[int]
    state: State
    checkpoints: tuple[Checkpoint, ...] = ()

    @property
    def num_bytes(self) -> int:
        """The size of its file."""
        return file_size(len(self.tokens), [part.state.nbytes for part in _parts(self)])


@dataclass(frozen=True)
class Part:
    length: int
    checksum: int
    num_bytes: int


@dataclass(frozen=True)
class Header:
    """What is known of a file without reading its states. The last of the `parts` ends where the file does."""

    tokens: list[int]
    parts: tuple[Part, ...]

    @property
    def lengths(self) -> list[int]:
        """Those of the checkpoints."""
        return [part.length for part in self.parts[1:]]


def file_size(num_tokens: int, state_sizes: list[int]) -> int:
    """Return the bytes of a file with states of these sizes."""
    header = PREFIX.size + COUNTS.size + TOKEN.itemsize * num_tokens + PART.size * len(state_sizes)
    return header + sum(state_sizes)


def write_state(file: BinaryIO, fingerprint: bytes, saved: Saved, go_on: Callable[[], bool]) -> None:
    """Write a whole file. Raises Stopped as soon as `go_on` says no."""
    header = _pack_header(fingerprint, saved)
    file.write(PREFIX.pack(MAGIC, VERSION, len(header), zlib.crc32(header)) + header)
    for part in _parts(saved):
        for piece in _pieces(part.state, go_on):
            file.write(piece)


def read_header(file: BinaryIO, fingerprint: bytes, num_bytes: int) -> Header:
    """Read what stands before the states of a file of `num_bytes`. Raises StateFileError."""
    start = file.read(PREFIX.size)
    if len(start) < PREFIX.size:
        raise StateFileError("it is cut off")
    magic, version, size, checksum = PREFIX.unpack(start)
    if (magic, version) != (MAGIC, VERSION):
        raise StateFileError("it is no saved conversation of this version")
    if size > num_bytes:
        raise StateFileError("it is cut off")
    packed = file.read(size)
    if zlib.crc32(packed) != checksum:
        raise StateFileError("the checksum of its header is wrong")
    try:
        header = _unpack_header(packed, fingerprint)
    except (struct.error, ValueError) as error:
        raise StateFileError(f"its header makes no sense ({error})") from error
    if PREFIX.size + size + sum(part.num_bytes for part in header.parts) != num_bytes:
        raise StateFileError("it does not have the size that its header says")
    return header


def read_states(file: BinaryIO, header: Header, go_on: Callable[[], bool]) -> Saved:
    """Read the states that follow a header. Raises StateFileError, and Stopped as soon as `go_on` says no."""
    state, *others = [_read_part(file, part, go_on) for part in header.parts]
    checkpoints = (Checkpoint(length, other) for length, other in zip(header.lengths, others, strict=True))
    return Saved(header.tokens, state, tuple(checkpoints))


def _parts(saved: Saved) -> list[Checkpoint]:
    return [Checkpoint(len(saved.tokens), saved.state), *saved.checkpoints]


def _pack_header(fingerprint: bytes, saved: Saved) -> bytes:
    parts = _parts(saved)
    packed = (PART.pack(part.length, zlib.crc32(part.state), part.state.nbytes) for part in parts)
    tokens = np.array(saved.tokens, TOKEN).tobytes()
    return COUNTS.pack(fingerprint, len(saved.tokens), len(parts)) + tokens + b"".join(packed)


def _unpack_header(packed: bytes, fingerprint: bytes) -> Header:
    found, num_tokens, num_parts = COUNTS.unpack_from(packed)
    if found != fingerprint:
        raise StateFileError("it is another model's or was made with other settings")
    tokens = np.frombuffer(packed, TOKEN, num_tokens, COUNTS.size)
    parts = tuple(Part(*each) for each in PART.iter_unpack(packed[COUNTS.size + tokens.nbytes :]))
    if not parts or len(parts) != num_parts:
        raise ValueError(f"{len(parts)} parts instead of {num_parts}")
    return Header(tokens.tolist(), parts)


def _read_part(file: BinaryIO, part: Part, go_on: Callable[[], bool]) -> State:
    state = np.empty(part.num_bytes, np.uint8)
    checksum = 0
    for piece in _pieces(state, go_on):
        if file.readinto(piece) < len(piece):
            raise StateFileError("it is cut off")
        checksum = zlib.crc32(piece, checksum)
    if checksum != part.checksum:
        raise StateFileError("the checksum of its state is wrong")
    return state


def _pieces(state: State, go_on: Callable[[], bool]) -> Iterator[memoryview]:
    view = memoryview(state)
    for start in range(0, len(view), PIECE):
        if not go_on():
            raise Stopped
        yield view[start : start + PIECE]
