"""The short form of `make fuzz`: a few requests to every operation, always the same ones."""

import pytest

from tests.fuzz.beyond_schema import is_beyond_schema
from tests.fuzz.requests import check
from tests.fuzz.rig import running

FEW = ("--phases", "examples,fuzzing", "-n", "2")


@pytest.mark.parametrize(("auth", "key"), [(True, "admin"), (True, None), (False, None)])
def test_every_answer_is_what_the_schema_says(tmp_path, auth, key):
    with running(tmp_path, auth) as rig:
        outcome = check(rig, key, *FEW)
    assert outcome.is_good, outcome.text
    assert "20 selected / 20 total" in outcome.text
    assert outcome.num_cases >= 40
    assert "Traceback" not in rig.server.log


@pytest.mark.parametrize(
    ("message", "is_beyond"),
    [
        ("Invalid `messages[0].content`: is required for the role `user`.", True),
        ("Invalid `grammar`: 1(1): expecting rule.", True),
        ("Invalid `grammar`: expected a string, got 1.", False),
        ("Invalid `text.format.schema`: expected an object, got 1.", False),
        ("Invalid `text.format.schema.properties.a`: no value fits it.", True),
        ("Invalid `temperature`: expected a number between 0 and 2, got 3 in the schema.", False),
    ],
)
def test_only_known_rules_are_let_go(message, is_beyond):
    assert is_beyond_schema(message) is is_beyond
