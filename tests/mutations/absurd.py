"""Headers with numbers that no file can hold, written to make readers allocate, loop or overflow."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gguf import GGUFValueType as T

from tests.mutations.layout import Damaged, Field, Layout, Tensor, array, number, text

HUGE = (2**31, 2**32 - 1, 2**40, 2**60, 2**63, 2**64 - 1)
MIB = 2**20


def counts(layout: Layout) -> Iterator[Damaged]:
    """Yield files that claim other numbers of things than they have."""
    for name, real in (("num_tensors", len(layout.tensors)), ("num_fields", len(layout.fields))):
        for count in (0, real - 1, real + 1, *HUGE):
            yield f"{name} {count}", replace(layout, **{name: count})
    for version in (0, 1, 4, 2**31, 3 << 24, 2**32 - 1):
        yield f"version {version}", replace(layout, version=version)


def lengths(layout: Layout) -> Iterator[Damaged]:
    """Yield files with a last key that claims to be large."""
    for length in HUGE:
        yield f"text of {length}", layout.with_field("x", T.STRING, text(b"x", length))
        yield f"{length} texts", layout.with_field("x", T.ARRAY, array(T.STRING, [text(b"")], length))
        yield f"{length} numbers", layout.with_field("x", T.ARRAY, array(T.FLOAT64, [bytes(8)], length))
        yield f"{length} arrays", layout.with_field("x", T.ARRAY, array(T.ARRAY, [], length))
    deep = b"".join(array(T.ARRAY, [], 1) for _ in range(100_000)) + array(T.UINT8, [b"\1"])
    yield "100,000 arrays in each other", layout.with_field("x", T.ARRAY, deep)
    for kind in (13, 255, 2**31, 2**32 - 1):
        yield f"value type {kind}", layout.with_field("x", kind, bytes(8))
        yield f"array type {kind}", layout.with_field("x", T.ARRAY, array(kind, [bytes(8)]))


def names(layout: Layout) -> Iterator[Damaged]:
    """Yield files with keys and tensors that stand twice, or whose names are none."""
    for field in (layout.fields[0], layout.fields[-1]):
        yield f"{field.key.decode()} twice", replace(layout, fields=[*layout.fields, field])
    for key in ("", "\0", "x" * 70_000, "\ud800"):
        data = key.encode(errors="surrogatepass")
        yield f"key {key[:9]!a}", replace(layout, fields=[*layout.fields, Field(data, T.UINT8, b"\1")])
    for name in (b"", b"\0", b"x" * 64, b"x" * 70_000, b"\xff\xfe", layout.tensors[1].name):
        yield f"tensor name {name[:20]!a}", layout.with_tensor(0, name=name)


def tensors(layout: Layout) -> Iterator[Damaged]:
    """Yield files with tensors that cannot be."""
    width, rows = layout.tensors[0].dimensions[:2]
    for shape in (
        *((0, rows), (width, 0), (2**32, 2**32), (2**63,), (2**64 - 1,), (2**62, 4), (2**21,) * 3, (2**31 - 1, rows)),
        *((rows, width), (width,), (width + 1, rows), (width * rows,), (width, rows, 1, 1), (1,) * 4),
    ):
        yield f"shape {shape}", layout.with_tensor(0, dimensions=shape)
    for count in (0, 1, 3, 5, 2**31, 2**32 - 1):
        yield f"{count} dimensions", layout.with_tensor(0, num_dimensions=count)
    yield "5 dimensions", layout.with_tensor(0, dimensions=(width, rows, 1, 1, 1))
    for kind in (1, 2, 4, 5, 8, 12, 16, 24, 27, 30, 31, 39, 40, 99, 2**31, 2**32 - 1):
        yield f"tensor type {kind}", layout.with_tensor(0, kind=kind)
    second = layout.tensors[1].offset
    for index, offset in ((0, 1), (0, 32), (0, second), (1, 0), (1, second + 1), (1, second - 32)):
        yield f"tensor {index} at {offset}", layout.with_tensor(index, offset=offset)
    for offset in (2**31, 2**63, 2**64 - 32, 2**64 - 1):
        yield f"tensor 1 at {offset}", layout.with_tensor(1, offset=offset)
    missing = layout.tensors[1].name.decode()
    yield f"without {missing}", replace(layout, tensors=[layout.tensors[0], *layout.tensors[2:]])


def alignments(layout: Layout) -> Iterator[Damaged]:
    for value in (0, 1, 2, 3, 8, 64, 4096, 2**20, 2**31, 2**32 - 1):
        yield f"alignment {value}", layout.with_field("general.alignment", T.UINT32, number(T.UINT32, value))
    yield "alignment as text", layout.with_field("general.alignment", T.STRING, text(b"32"))
    yield "alignment of 64 bits", layout.with_field("general.alignment", T.UINT64, number(T.UINT64, 32))


def write_empty_texts(path: Path) -> None:
    """Write 64 arrays of 16 million empty texts: 8 GB of zeros, which take no room on most disks."""
    count = 2**24
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 64))
        for index in range(64):
            file.write(text(b"key%d" % index) + struct.pack("<IIQ", T.ARRAY, T.STRING, count))
            file.seek(8 * count, 1)
        file.truncate()


def write_long_texts(path: Path) -> None:
    """Write a header whose only content are 20 texts of 8 MB."""
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 20))
        for index in range(20):
            file.write(text(b"key%d" % index) + number(T.UINT32, T.STRING) + text(b"x" * 8 * MIB))


def write_many_keys(path: Path) -> None:
    """Write a header with 300,000 keys."""
    fields = [Field(b"k%d" % index, T.UINT8, b"\1") for index in range(300_000)]
    path.write_bytes(Layout(fields, []).pack())


def write_many_tensors(path: Path) -> None:
    """Write a header with 300,000 tensors of no weights."""
    path.write_bytes(Layout([], [Tensor(b"t%d" % index, (0,), 0, 0, b"") for index in range(300_000)]).pack())


WRITERS = {
    "64 arrays of empty texts": write_empty_texts,
    "20 texts of 8 MB": write_long_texts,
    "300,000 keys": write_many_keys,
    "300,000 tensors": write_many_tensors,
}
