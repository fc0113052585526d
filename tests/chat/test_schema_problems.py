"""What is kept of the schemas that were looked at."""

import json

from inference.chat import schema_problems
from inference.chat.schema_problems import REMEMBERED_CHARS, schema_problem


def kept() -> int:
    return schema_problems._remembered_problem.cache_info().currsize


def test_long_schemas_are_judged_and_not_kept():
    before = kept()
    names = [f"a name of its own {number}" for number in range(REMEMBERED_CHARS // 20)]
    for wrong, word in (({}, None), ({"minProperties": 2**70}, "only one property more")):
        problem = schema_problem(json.dumps({"type": "object", "required": names, **wrong}), lenient=False)
        assert problem is None if word is None else word in problem.reason
    assert kept() == before


def test_others_are_judged_once():
    schema = json.dumps({"type": "string", "title": "judged once"})
    before = kept()
    assert schema_problem(schema, lenient=False) is schema_problem(schema, lenient=False) is None
    assert kept() == before + 1
