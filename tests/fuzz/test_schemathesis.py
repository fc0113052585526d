"""The short form of `make fuzz`: what the schema says is what the server does."""

import pytest

from tests.fuzz.requests import check
from tests.fuzz.rig import running

# The systematic cases of these alone are two thousand; `make fuzz` has them.
LONG = ("/v1/chat/completions", "/v1/chat/completions/input_tokens", "/v1/completions")
SHORT = [part for path in (*LONG, "/v1/responses", "/v1/responses/input_tokens") for part in ("--exclude-path", path)]


@pytest.mark.parametrize("key", ["admin", None])
def test_answers_are_those_of_the_schema(tmp_path, key):
    with running(tmp_path, auth=key is not None) as rig:
        systematic = check(rig, key, "-n", "3", *SHORT)
        random = check(rig, key, "-n", "5", "--phases", "fuzzing")
    assert systematic.is_good, systematic.text
    assert random.is_good, random.text
    assert systematic.num_cases > 100
    assert random.num_cases > 50
