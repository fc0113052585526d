"""Reading the header of a GGUF file without trusting a byte of it.

The `gguf` package says what the numbers mean, but its reader makes a numpy view of every token (seconds for a
150,000-token vocabulary) and follows whatever lengths a damaged file claims. This one skips what is not needed and
compares each length with the size of the file first. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from math import inf, prod
from pathlib import Path
from typing import Any, BinaryIO

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType, Keys

SUPPORTED_VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_DIMENSIONS = 4
MAX_FIELDS = 2**16  # real models have less than 100
MAX_TENSORS = 2**18  # those with the most, mixtures whose experts are kept apart, have less than 2**16
MAX_ARRAY_TEXTS = 2**22  # in all arrays together; the largest vocabularies have 2**18 tokens and twice as many merges
MAX_TEXT_BYTES = 16 * 2**20  # of all texts together that are kept
MAX_READ_BYTES = 2**28  # of everything but arrays of numbers
MAX_ELEMENTS = 2**63 - 1  # of a tensor: what llama.cpp counts with
MIN_FIELD_BYTES = 8 + 4 + 1  # key length, type, the shortest value
MIN_TENSOR_BYTES = 8 + 4 + 4 + 8  # name length, number of dimensions, type, offset

_SCALARS = {
    GGUFValueType.UINT8: struct.Struct("<B"),
    GGUFValueType.INT8: struct.Struct("<b"),
    GGUFValueType.UINT16: struct.Struct("<H"),
    GGUFValueType.INT16: struct.Struct("<h"),
    GGUFValueType.UINT32: struct.Struct("<I"),
    GGUFValueType.INT32: struct.Struct("<i"),
    GGUFValueType.FLOAT32: struct.Struct("<f"),
    GGUFValueType.BOOL: struct.Struct("<?"),
    GGUFValueType.UINT64: struct.Struct("<Q"),
    GGUFValueType.INT64: struct.Struct("<q"),
    GGUFValueType.FLOAT64: struct.Struct("<d"),
}
_U32 = _SCALARS[GGUFValueType.UINT32]
_U64 = _SCALARS[GGUFValueType.UINT64]


class GGUFError(Exception):
    """A file that cannot be served; the message is one sentence for the person who registers it."""


@dataclass(frozen=True)
class StringArray:
    """Where an array of strings stands; its items are read only on demand."""

    position: int
    count: int


@dataclass
class Header:
    """What stands before the weights; `fields` has scalars, strings and StringArrays (other arrays are skipped)."""

    fields: dict[str, Any] = field(default_factory=dict)
    num_tensors: int = 0
    num_parameters: int = 0
    bytes_by_type: Counter = field(default_factory=Counter)
    expected_size: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    tensor_names: set[str] = field(default_factory=set)


def read_header(path: Path) -> Header:
    """Return the header of the GGUF file `path`; raise GGUFError if it is damaged, OSError if it cannot be read."""
    with path.open("rb") as file:
        reader = _HeaderReader(file, path.stat().st_size)
        try:
            return reader.read()
        except ValueError as error:
            raise GGUFError(f"The metadata of {path} is broken: {error}{reader.place}.") from error


def read_strings(path: Path, array: StringArray, start: int = 0) -> Iterator[bytes]:
    """Yield the items of an array of strings that `read_header` found in `path`, from the one at `start` on."""
    with path.open("rb") as file:
        reader = _HeaderReader(file, path.stat().st_size)
        file.seek(array.position)
        for index in range(array.count):
            item = reader.text_bytes()
            if index >= start:
                yield item


def _known(kinds: type[IntEnum], number: int, what: str) -> Any:
    try:
        return kinds(number)
    except ValueError:
        raise ValueError(f"it has a {what} of the unknown type {number}") from None


class _HeaderReader:
    """A cursor over the file that raises ValueError before it would leave it, or read what no real file has.

    place: where it is, as the end of a sentence that says what is wrong there.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.place = ""
        self._bytes_left, self._text_bytes_left, self._texts_left = MAX_READ_BYTES, MAX_TEXT_BYTES, MAX_ARRAY_TEXTS

    def read(self) -> Header:
        """Read everything up to the weights."""
        self.file.seek(4)
        self._check_version(self._scalar(_U32))
        num_tensors = self._count(MIN_TENSOR_BYTES, "tensors", MAX_TENSORS)
        num_fields = self._count(MIN_FIELD_BYTES, "metadata keys", MAX_FIELDS)
        header = Header(num_tensors=num_tensors)
        for number in range(1, num_fields + 1):
            self.place = f" (in metadata key {number} of {num_fields})"
            self._read_field(header.fields)
        ends = []
        for number in range(1, num_tensors + 1):
            self.place = f" (in tensor {number} of {num_tensors})"
            ends.append(self._read_tensor(header))
        self.place = ""
        header.expected_size = self._start_of_weights(header.fields) + max(ends, default=0)
        header.tokens = {key: self._token(header.fields, key) for key in (Keys.Tokenizer.BOS_ID, Keys.Tokenizer.EOS_ID)}
        return header

    def _check_version(self, version: int) -> None:
        if int.from_bytes(version.to_bytes(4, "little"), "big") in SUPPORTED_VERSIONS:
            raise ValueError("it is a big-endian file, convert it to little-endian")
        if version not in SUPPORTED_VERSIONS:
            supported = " and ".join(map(str, SUPPORTED_VERSIONS))
            raise ValueError(f"its GGUF version is {version}, supported are {supported}")

    def _read_field(self, fields: dict[str, Any]) -> None:
        key = self._string()
        if key in fields:
            raise ValueError(f"the key {key[:80]!r} stands twice")
        self.place = f" (in the value of {key[:80]!r})"
        fields[key] = self._value(_known(GGUFValueType, self._scalar(_U32), "value"))

    def _read_tensor(self, header: Header) -> int:
        """Add one tensor to `header`; return where its bytes end, counted from the start of the weights."""
        name = self._string()
        num_dimensions = self._scalar(_U32)
        if num_dimensions > MAX_DIMENSIONS:
            raise ValueError(f"the tensor {name[:80]!r} has {num_dimensions} dimensions")
        if name in header.tensor_names:
            raise ValueError(f"the tensor {name[:80]!r} stands twice")
        shape = [self._scalar(_U64) for _ in range(num_dimensions)]
        num_elements = prod(shape)
        if max(num_elements, *shape, 0) > MAX_ELEMENTS:
            raise ValueError(f"the tensor {name[:80]!r} claims the impossible shape {' × '.join(map(str, shape))}")
        tensor_type = _known(GGMLQuantizationType, self._scalar(_U32), "tensor")
        block, block_bytes = GGML_QUANT_SIZES[tensor_type]
        num_bytes = num_elements // block * block_bytes
        header.tensor_names.add(name)
        header.num_parameters += num_elements
        header.bytes_by_type[tensor_type] += num_bytes
        return self._scalar(_U64) + num_bytes

    def _start_of_weights(self, fields: dict[str, Any]) -> int:
        alignment = fields.get(Keys.General.ALIGNMENT, DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise ValueError(f"its alignment {alignment!r} is not a power of two")
        return -(-self.file.tell() // alignment) * alignment

    def _token(self, fields: dict[str, Any], key: str) -> str:
        """Return the text of the token whose id stands under `key`, "" if the file does not say."""
        index, tokens = fields.get(key), fields.get(Keys.Tokenizer.LIST)
        if not isinstance(index, int) or not isinstance(tokens, StringArray) or not 0 <= index < tokens.count:
            return ""
        self.file.seek(tokens.position)
        for _ in range(index):
            self.text_bytes()
        return self._string()

    def _value(self, kind: GGUFValueType) -> Any:
        if kind == GGUFValueType.STRING:
            return self._string()
        return self._skip_array() if kind == GGUFValueType.ARRAY else self._scalar(_SCALARS[kind])

    def _skip_array(self) -> StringArray | None:
        kind = _known(GGUFValueType, self._scalar(_U32), "value")
        if kind == GGUFValueType.ARRAY:
            raise ValueError("it holds an array of arrays")
        if kind != GGUFValueType.STRING:
            size = _SCALARS[kind].size
            self.file.seek(self._count(size, "array items") * size, 1)
            return None
        count = self._count(_U64.size, "array items", self._texts_left)
        self._texts_left -= count
        array = StringArray(self.file.tell(), count)
        for _ in range(count):
            self.text_bytes()
        return array

    def _string(self) -> str:
        """Read a text that is kept."""
        data = self.text_bytes()
        self._text_bytes_left -= len(data)
        if self._text_bytes_left < 0:
            raise ValueError(f"its texts take more than {MAX_TEXT_BYTES:,} bytes")
        # PostgreSQL refuses the NUL character in text.
        return data.decode("utf-8", errors="replace").replace("\0", "")

    def text_bytes(self) -> bytes:
        """Read one text as it stands."""
        length = self._scalar(_U64)
        if length > MAX_TEXT_BYTES:
            raise ValueError(f"it claims a text of {length:,} bytes")
        return self._take(length)

    def _count(self, item_bytes: int, what: str, limit: float = inf) -> int:
        """Read a count of things that take at least `item_bytes` each, of which the rest of the file has room."""
        count = self._scalar(_U64)
        if count > (self.size - self.file.tell()) // item_bytes:
            raise ValueError(f"it claims {count:,} {what}, more than its {self.size:,} bytes can hold")
        if count > limit:
            raise ValueError(f"it claims {count:,} {what}, more than any model has")
        return count

    def _scalar(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _take(self, length: int) -> bytes:
        data = self.file.read(length)
        if len(data) < length:
            raise ValueError(f"the file ends inside it, after {self.size:,} bytes; download it again")
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise ValueError(f"it takes more than {MAX_READ_BYTES:,} bytes")
        return data
