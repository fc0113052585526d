import pytest

from registry.formatting import human_bytes, human_count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""), (0, "0"), (999, "999"), (1000, "1.0K"), (752_832, "753K"), (4_022_468_096, "4.0B"),
        (671_000_000_000, "671B"), (10**12, "1.0T"),
    ],
)  # fmt: skip
def test_counts_are_short(count, text):
    assert human_count(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, "0 B"), (1023.7, "1024 B"), (1536, "1.5 KiB"), (4_280_404_704, "4.0 GiB"), (2**41, "2.0 TiB")],
)
def test_bytes_are_binary(count, text):
    assert human_bytes(count) == text
