"""A GGUF file taken apart into pieces that can be changed one by one and put together again, sound or not.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from gguf import GGUFValueType as T

ALIGNMENT = 32
FORMATS = {
    T.UINT8: "B", T.INT8: "b", T.UINT16: "H", T.INT16: "h", T.UINT32: "I", T.INT32: "i", T.FLOAT32: "f",
    T.BOOL: "?", T.UINT64: "Q", T.INT64: "q", T.FLOAT64: "d",
}  # fmt: skip


def number(kind: T, value: float) -> bytes:
    return struct.pack(f"<{FORMATS[kind]}", value)


def text(data: bytes, length: int | None = None) -> bytes:
    """Return a text as the format has it, perhaps with a length that is not its own."""
    return number(T.UINT64, len(data) if length is None else length) + data


def array(kind: int, items: list[bytes], count: int | None = None) -> bytes:
    """Return the value of an array, perhaps with a count that is not its own."""
    return struct.pack("<IQ", kind, len(items) if count is None else count) + b"".join(items)


@dataclass(frozen=True)
class Field:
    """A metadata key; `value` is what follows the type."""

    key: bytes
    kind: int
    value: bytes

    @property
    def pieces(self) -> list[bytes]:
        return [text(self.key), number(T.UINT32, self.kind), self.value]


@dataclass(frozen=True)
class Tensor:
    """A tensor; `data` are its bytes in the file with the padding after them."""

    name: bytes
    dimensions: tuple[int, ...]
    kind: int
    offset: int
    data: bytes
    num_dimensions: int | None = None  # where it claims another number than it has

    @property
    def pieces(self) -> list[bytes]:
        count = len(self.dimensions) if self.num_dimensions is None else self.num_dimensions
        shape = number(T.UINT32, count) + b"".join(number(T.UINT64, size) for size in self.dimensions)
        return [text(self.name), shape, number(T.UINT32, self.kind), number(T.UINT64, self.offset)]


@dataclass(frozen=True)
class Layout:
    """A whole file. The counts are those of its lists unless they are given."""

    fields: list[Field]
    tensors: list[Tensor]
    version: int = 3
    num_fields: int | None = None
    num_tensors: int | None = None

    @classmethod
    def of(cls, path: Path) -> "Layout":
        """Take a sound file of version 3 with the usual alignment apart."""
        return _Parser(path.read_bytes()).parse()

    @property
    def architecture(self) -> str:
        return self.field("general.architecture").value[8:].decode()

    def field(self, key: str) -> Field:
        return next(field for field in self.fields if field.key == key.encode())

    def has(self, key: str) -> bool:
        return any(field.key == key.encode() for field in self.fields)

    def with_field(self, key: str, kind: int, value: bytes) -> "Layout":
        """Return a copy in which `key` has this value; where it had none before, it comes last."""
        new = Field(key.encode(), kind, value)
        fields = [new if field.key == new.key else field for field in self.fields]
        return replace(self, fields=fields if self.has(key) else [*fields, new])

    def without_field(self, key: bytes) -> "Layout":
        return replace(self, fields=[field for field in self.fields if field.key != key])

    def with_tensor(self, index: int, **changes: object) -> "Layout":
        tensors = list(self.tensors)
        tensors[index] = replace(tensors[index], **changes)
        return replace(self, tensors=tensors)

    def sections(self) -> dict[str, list[bytes]]:
        """Return the bytes of the file, by what they are."""
        num_tensors = len(self.tensors) if self.num_tensors is None else self.num_tensors
        num_fields = len(self.fields) if self.num_fields is None else self.num_fields
        sections = {
            "header": [
                b"GGUF",
                number(T.UINT32, self.version),
                number(T.UINT64, num_tensors),
                number(T.UINT64, num_fields),
            ],
            "metadata": [piece for field in self.fields for piece in field.pieces],
            "tensor infos": [piece for tensor in self.tensors for piece in tensor.pieces],
        }
        size = sum(len(piece) for pieces in sections.values() for piece in pieces)
        return {**sections, "padding": [bytes(-size % ALIGNMENT)], "weights": [tensor.data for tensor in self.tensors]}

    def pieces(self) -> list[bytes]:
        return [piece for pieces in self.sections().values() for piece in pieces]

    def pack(self) -> bytes:
        return b"".join(self.pieces())


Damaged = tuple[str, Layout | bytes]  # what was done to a file, and what came of it


class _Parser:
    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 16

    def parse(self) -> Layout:
        num_tensors, num_fields = struct.unpack_from("<QQ", self._data, 8)
        self._position = 24
        fields = [self._field() for _ in range(num_fields)]
        infos = [self._info() for _ in range(num_tensors)]
        start = self._position + -self._position % ALIGNMENT
        ends = [*(offset for *_, offset in infos[1:]), len(self._data) - start]
        return Layout(
            fields,
            [
                Tensor(*info, data=self._data[start + info[-1] : start + end])
                for info, end in zip(infos, ends, strict=True)
            ],
        )

    def _field(self) -> Field:
        key, kind = self._text(), self._number(T.UINT32)
        start = self._position
        self._skip(kind)
        return Field(key, kind, self._data[start : self._position])

    def _info(self) -> tuple[bytes, tuple[int, ...], int, int]:
        name = self._text()
        shape = tuple(self._number(T.UINT64) for _ in range(self._number(T.UINT32)))
        return name, shape, self._number(T.UINT32), self._number(T.UINT64)

    def _skip(self, kind: int) -> None:
        if kind == T.STRING:
            self._text()
        elif kind == T.ARRAY:
            item = self._number(T.UINT32)
            for _ in range(self._number(T.UINT64)):
                self._skip(item)
        else:
            self._number(kind)

    def _text(self) -> bytes:
        length = self._number(T.UINT64)
        self._position += length
        return self._data[self._position - length : self._position]

    def _number(self, kind: int) -> int:
        layout = struct.Struct(f"<{FORMATS[kind]}")
        self._position += layout.size
        return layout.unpack_from(self._data, self._position - layout.size)[0]
