import random
import struct

import pytest

from registry.gguf import GGUFError, read_metadata
from registry.gguf_header import MAX_ARRAY_TEXTS, MAX_FIELDS, MAX_TENSORS, MAX_TEXT_BYTES, Header, read_header
from tests.gguf_files import write_gguf

START = b"GGUF" + struct.pack("<I", 3)
COUNTS = struct.Struct("<QQ")


def string(text):
    return struct.pack("<Q", len(text)) + text


def reason(path, data):
    """Why a file of the bytes `data` is refused."""
    path.write_bytes(data)
    with pytest.raises(GGUFError) as caught:
        read_header(path)
    return str(caught.value).partition("is broken: ")[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "header.gguf"


def test_a_header_without_anything_is_read(path):
    path.write_bytes(START + COUNTS.pack(0, 0))
    header = read_header(path)
    assert isinstance(header, Header)
    assert (header.num_tensors, header.fields, header.expected_size) == (0, {}, 32)


@pytest.mark.parametrize("counts", [(2**60, 0), (0, 2**60), (2**64 - 1, 2**64 - 1), (100, 0)])
def test_counts_that_the_file_cannot_hold_are_refused(path, counts):
    assert "more than its 24 bytes can hold" in reason(path, START + COUNTS.pack(*counts))


@pytest.mark.parametrize(
    ("version", "expected"),
    [(0, "version is 0"), (1, "version is 1"), (4, "version is 4"), (3 << 24, "big-endian"), (2**31, "2147483648")],
)
def test_other_versions_are_refused(path, version, expected):
    assert expected in reason(path, b"GGUF" + struct.pack("<I", version) + COUNTS.pack(0, 0))


@pytest.mark.parametrize("length", [4, 7, 8, 20])
def test_a_file_that_ends_in_the_header_is_refused(path, length):
    assert "the file ends inside it" in reason(path, (START + COUNTS.pack(0, 0))[:length])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (string(b"k") + struct.pack("<I", 99), "a value of the unknown type 99"),
        (struct.pack("<Q", 2**40) + bytes(20), "a text of 1,099,511,627,776 bytes"),
        (struct.pack("<Q", 2**20) + bytes(20), "the file ends inside it"),
        (string(b"k") + struct.pack("<IIQ", 9, 9, 1), "an array of arrays"),
        (string(b"k") + struct.pack("<IIQ", 9, 8, 2**40), "1,099,511,627,776 array items"),
        (string(b"k") + struct.pack("<IIQ", 9, 4, 2), "2 array items, more than"),
        (string(b"k") + struct.pack("<IIQ", 9, 77, 1), "a value of the unknown type 77"),
    ],
)
def test_broken_metadata_is_refused(path, field, expected):
    assert expected in reason(path, START + COUNTS.pack(0, 1) + field)


def test_a_key_that_stands_twice_is_refused(path):
    field = string(b"a.key") + struct.pack("<IB", 0, 1)
    assert "the key 'a.key' stands twice" in reason(path, START + COUNTS.pack(0, 2) + field * 2)


@pytest.mark.parametrize("alignment", [0, 3, 2**31 + 1])
def test_an_alignment_that_is_no_power_of_two_is_refused(path, alignment):
    field = string(b"general.alignment") + struct.pack("<II", 4, alignment)
    assert f"its alignment {alignment} is not a power of two" in reason(path, START + COUNTS.pack(0, 1) + field)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (string(b"weight") + struct.pack("<IQIQ", 1, 32, 4, 0), "a tensor of the unknown type 4"),
        (string(b"weight") + struct.pack("<IQIQ", 5, 32, 0, 0), "the tensor 'weight' has 5 dimensions"),
        (string(b"weight") + struct.pack("<IQQIQ", 2, 2**32, 2**31, 0, 0), "impossible shape 4294967296 × 2147483648"),
        (string(b"weight") + struct.pack("<IQQIQ", 2, 2**64 - 1, 0, 0, 0), "impossible shape 18446744073709551615 × 0"),
    ],
)
def test_broken_tensors_are_refused(path, tensor, expected):
    assert expected in reason(path, START + COUNTS.pack(1, 0) + tensor)


def test_a_huge_tensor_makes_the_file_truncated(path):
    tensor = string(b"weight") + struct.pack("<IQQIQ", 2, 2**31, 2**31, 0, 2**60)
    architecture = string(b"general.architecture") + struct.pack("<I", 8) + string(b"llama")
    path.write_bytes(START + COUNTS.pack(1, 1) + architecture + tensor)
    with pytest.raises(GGUFError, match="is truncated"):
        read_metadata(path)


def test_a_tensor_that_stands_twice_is_refused(path):
    tensor = string(b"weight") + struct.pack("<IQIQ", 1, 32, 0, 0)
    expected = "the tensor 'weight' stands twice (in tensor 2 of 2)."
    assert reason(path, START + COUNTS.pack(2, 0) + tensor * 2) == expected


def test_it_is_said_where_the_damage_is(path):
    good, bad = string(b"a.key") + struct.pack("<IB", 0, 1), string(b"b.key") + struct.pack("<IQ", 8, 99)
    assert reason(path, START + COUNTS.pack(0, 2) + good + bad).endswith("again (in the value of 'b.key').")
    assert reason(path, START + COUNTS.pack(0, 2) + good + b"\xff" * 99).endswith("bytes (in metadata key 2 of 2).")


@pytest.mark.parametrize(
    ("counts", "what"), [((0, MAX_FIELDS + 1), "metadata keys"), ((MAX_TENSORS + 1, 0), "tensors")]
)
def test_more_than_any_model_has_is_refused(path, counts, what):
    expected = f"it claims {max(counts):,} {what}, more than any model has."
    assert reason(path, START + COUNTS.pack(*counts) + bytes(40 * max(counts))) == expected


def test_many_arrays_of_empty_texts_are_refused(path):
    array = struct.pack("<IIQ", 9, 8, MAX_ARRAY_TEXTS // 2 + 1) + bytes(8 * (MAX_ARRAY_TEXTS // 2 + 1))
    fields = b"".join(string(b"key%d" % index) + array for index in range(2))
    assert "more than any model has (in the value of 'key1')" in reason(path, START + COUNTS.pack(0, 2) + fields)


def test_texts_are_kept_only_up_to_a_limit(path):
    text = struct.pack("<I", 8) + string(b"x" * (MAX_TEXT_BYTES // 2))
    fields = b"".join(string(b"key%d" % index) + text for index in range(2))
    assert "its texts take more than 16,777,216 bytes" in reason(path, START + COUNTS.pack(0, 2) + fields)


def test_no_more_is_read_than_a_header_has(path, monkeypatch):
    monkeypatch.setattr("registry.gguf_header.MAX_READ_BYTES", 50)
    field = string(b"key") + struct.pack("<I", 8) + string(b"x" * 40)
    assert "it takes more than 50 bytes (in the value of 'key')" in reason(path, START + COUNTS.pack(0, 1) + field)


def test_unread_arrays_of_numbers_are_skipped(path):
    def fill(writer):
        writer.add_array("a.numbers", [1.5] * 1000)
        writer.add_bool("a.flag", True)

    header = read_header(write_gguf(path, fill=fill))
    assert (header.fields["a.numbers"], header.fields["a.flag"]) == (None, True)


def test_no_damage_ends_in_anything_but_a_refusal(path):
    """A thousand files, each with a few bytes of the header changed."""
    original, chance = write_gguf(path).read_bytes(), random.Random(7)
    for _ in range(1000):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(800)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        path.write_bytes(data)
        try:
            read_metadata(path)
        except GGUFError as error:
            assert str(error).endswith(".")


def test_no_truncation_ends_in_anything_but_a_refusal(path):
    original = write_gguf(path).read_bytes()
    for length in range(0, len(original), 5):
        path.write_bytes(original[:length])
        with pytest.raises(GGUFError):
            read_metadata(path)
