"""The short form of `make fuzz`: what no schema would send."""

import json

from tests.fuzz.bodies import send
from tests.fuzz.malformed import GOOD, KINDS, bodies
from tests.fuzz.rig import running


def test_no_body_hurts(tmp_path):
    with running(tmp_path, auth=True) as rig:
        result = send(rig, 500)
    assert result.problems == []
    assert {kind for kind, _ in result.counts} == set(KINDS)
    assert sum(count for (_, status), count in result.counts.items() if status == 400) > 250
    assert "Traceback" not in rig.server.log


def test_what_is_spoiled_would_be_answered(tmp_path):
    with running(tmp_path, auth=True) as rig:
        for path, body in GOOD.items():
            assert rig.post(path, body), json.dumps(body)


def test_the_same_seed_makes_the_same_bodies():
    assert list(bodies(200, 1)) == list(bodies(200, 1))
    assert list(bodies(200, 1)) != list(bodies(200, 2))
