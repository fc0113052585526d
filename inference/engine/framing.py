"""Messages as frames on a pipe: four bytes of length (little endian), then the pickled message.

Both ends are this program's own processes, so that pickle's trust in its input is justified.
"""

import pickle
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

HEADER = struct.Struct("<I")
LARGEST = 2**30  # bytes; thirty times what 2,048 vectors of 4,096 dimensions take


class FramingError(Exception):
    """What came through the pipe is no message."""


def pack(message: Any) -> bytes:
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> Any:
    """Return the message in a body. Raises FramingError."""
    try:
        return pickle.loads(body)  # noqa: S301
    except Exception as error:  # bytes that are no pickle may raise anything
        raise FramingError(f"{len(body)} bytes are no message: {error}") from error


def body_size(header: bytes | bytearray) -> int:
    """Return the size of the body after a header. Raises FramingError."""
    size = HEADER.unpack(header)[0]
    if size > LARGEST:
        raise FramingError(f"a message of {size} bytes cannot be")
    return size


class FrameReader:
    """Takes bytes as they come and yields the messages that are complete with them."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Raises FramingError; what follows has no meaning then."""
        self._bytes += data
        while (end := self._end()) <= len(self._bytes):
            body = self._bytes[HEADER.size : end]
            del self._bytes[:end]
            yield unpack(body)

    def _end(self) -> int:
        """Return where the first frame ends; without its header, where the header ends."""
        header = self._bytes[: HEADER.size]
        return HEADER.size + (body_size(header) if len(header) == HEADER.size else 0)


def read_message(stream: BinaryIO) -> Any:
    """Block until a whole message has arrived. Raises EOFError when the other end is gone, and FramingError."""
    return unpack(_read_exactly(stream, body_size(_read_exactly(stream, HEADER.size))))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
