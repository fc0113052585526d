"""Messages as frames on a pipe: four bytes of length (little endian), then the pickled message.

Both ends are this program's own processes, so that pickle's trust in its input is justified.
"""

import pickle
import struct
from typing import Any, BinaryIO

HEADER = struct.Struct("<I")


def pack(message: Any) -> bytes:
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> Any:
    return pickle.loads(body)  # noqa: S301


def body_size(header: bytes) -> int:
    return HEADER.unpack(header)[0]


def read_message(stream: BinaryIO) -> Any:
    """Block until a whole message has arrived. Raises EOFError when the other end is gone."""
    return unpack(_read_exactly(stream, body_size(_read_exactly(stream, HEADER.size))))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
