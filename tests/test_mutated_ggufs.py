"""Damaged model files: a reason at registration or while loading, and a server that goes on."""

import subprocess
import sys
from collections import Counter
from itertools import islice

import pytest

from tests.live_server import DEMO, ROOT
from tests.mutations.catalogue import KINDS, Mutation, mutations, write_bases
from tests.mutations.layout import Layout
from tests.mutations.trial import is_sentence, registration_of, remove

NUM_REGISTERED = 300
NUM_SERVED = 50


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return write_bases(tmp_path_factory.mktemp("bases"))


def test_a_file_that_is_taken_apart_can_be_put_together(bases):
    assert bases["demo"].pack() == DEMO.read_bytes()
    assert Layout.of(DEMO).architecture == "llama"


def test_the_files_are_always_the_same_ones_and_of_all_kinds(bases, tmp_path):
    path = tmp_path / "damaged.gguf"

    def contents(mutation: Mutation) -> tuple[str, bytes]:
        mutation.write(path)
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        remove(path)
        return str(mutation), data

    first, again = (list(map(contents, islice(mutations(bases), 40))) for _ in range(2))
    assert first == again
    counts = Counter(mutation.kind for mutation in islice(mutations(bases), NUM_REGISTERED))
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 15


@pytest.mark.django_db
def test_the_registration_says_why_or_accepts(bases, tmp_path):
    path, wrong = tmp_path / "damaged.gguf", []
    num_refused = 0
    for mutation in islice(mutations(bases), NUM_REGISTERED):
        mutation.write(path)
        try:
            num_refused += bool(registration_of(path)[1])
        except Exception as error:
            wrong.append(f"{mutation}: {error!r}")
        remove(path)
    assert not wrong, "\n".join(wrong)
    assert num_refused > NUM_REGISTERED / 3


def test_a_server_survives_them():
    command = [sys.executable, "-m", "tests.mutated_ggufs", "--count", str(NUM_SERVED)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("\nanswered") > 5
    assert finished.stdout.count("\nnot loaded") > 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The file /x.gguf is empty (0 bytes).", True),
        ("Short.", False),
        ("This one does not end as sentences do", False),
        ("Traceback (most recent call last): KeyError.", False),
    ],
)
def test_what_counts_as_a_sentence(text, expected):
    assert is_sentence(text) is expected
