"""What llguidance makes of a schema, value by value: the places where its own reading lets wrong ones through."""

import json

import pytest
from llguidance import LLMatcher, LLTokenizer

from inference.chat.grammars import json_rule

TOKENIZER = LLTokenizer("byte")


def accepts(schema: dict, text: str) -> bool:
    matcher = LLMatcher(TOKENIZER, f"start: {json_rule(schema)}", log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens = TOKENIZER.tokenize_bytes(text.encode())
    return matcher.validate_tokens(tokens) == len(tokens) and matcher.consume_tokens(tokens) and matcher.is_accepting()


@pytest.mark.parametrize(
    ("schema_format", "right", "wrong"),
    [
        (
            "date",
            ["2024-02-29", "2000-02-29", "0001-01-01", "1990-12-31", "2023-04-30"],
            ["2023-02-29", "1900-02-29", "2024-02-30", "2023-04-31", "0000-01-01", "2023-13-01", "2023-1-1"],
        ),
        (
            "time",
            ["23:59:59Z", "00:00:00.123456789+05:30", "12:00:00-00:00"],
            ["23:59:60Z", "24:00:00Z", "12:00:00z", "12:00:00", "12:00Z", "12:00:00.Z", "12:00:00+24:00"],
        ),
        (
            "date-time",
            ["2024-02-29T23:59:59Z", "1999-12-31T00:00:00.5+01:00"],
            ["2024-02-30T00:00:00Z", "2024-02-29t00:00:00Z", "2024-02-29 00:00:00Z", "2024-02-29T00:00:60Z"],
        ),
    ],
)
def test_dates_and_times_are_those_of_the_calendar(schema_format, right, wrong):
    schema = {"type": "string", "format": schema_format}
    assert [text for text in right if not accepts(schema, json.dumps(text))] == []
    assert [text for text in wrong if accepts(schema, json.dumps(text))] == []


def test_a_format_and_a_pattern_hold_together():
    schema = {"type": "string", "format": "date", "pattern": "^20"}
    assert accepts(schema, '"2024-02-29"')
    assert not accepts(schema, '"1999-01-01"')
    assert not accepts(schema, '"2024-02-30"')


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ('^[^"]*$', ["ab", "a\\b", "a\nb"], ['a"b']),
        (r"^[^\\]*$", ["ab", 'a"b'], ["a\\b"]),
        (r"^[^]]$", ["a"], ["]"]),
        (r"^\[[^a]$", ["[b"], ["[a", "["]),
        (r"^[\x00-\x1f]$", ["\n", "\x00"], ['"', "\\", "a"]),
        (r"^[\u0000-\u001f]$", ["\t"], ['"', "\\"]),
    ],
)
def test_patterns_let_no_quote_or_backslash_through_by_its_escape(pattern, right, wrong):
    schema = {"type": "string", "pattern": pattern}
    assert [text for text in right if not accepts(schema, json.dumps(text))] == []
    assert [text for text in wrong if accepts(schema, json.dumps(text))] == []


def test_names_of_properties_obey_their_pattern():
    schema = {"type": "object", "patternProperties": {'^[^"]+$': {"type": "null"}}, "additionalProperties": False}
    assert accepts(schema, '{"a": null}')
    assert not accepts(schema, r'{"a\"b": null}')


@pytest.mark.parametrize(
    ("bounds", "right", "wrong"),
    [
        ({"minimum": 2**53 + 1}, [2**53 + 2], [2**53, 2**53 - 1]),
        ({"minimum": 0, "maximum": 2**63 - 1}, [0, 2**62, 2**63 - 1024], [2**63, -1]),
        ({"minimum": -(2**63), "exclusiveMaximum": 0}, [-1, -(2**63) + 1024], [-(2**63) - 2048, 0]),
        ({"minimum": 0, "maximum": 2**64 - 1}, [0, 2**62], [2**64, -1]),
        ({"minimum": -(10**30), "maximum": -(2**60)}, [-(2**60)], [-(2**60) + 1, 0, -(10**31)]),
    ],
)
def test_large_bounds_are_not_passed(bounds, right, wrong):
    schema = {"type": "integer", **bounds}
    assert [number for number in right if not accepts(schema, str(number))] == []
    assert [number for number in wrong if accepts(schema, str(number))] == []


@pytest.mark.parametrize(
    "keyword", [{"uniqueItems": False}, {"unevaluatedProperties": True}, {"unevaluatedItems": True}]
)
def test_keywords_that_ask_for_nothing_are_left_out(keyword):
    assert accepts({"type": "array", "items": {"type": "integer"}, **keyword}, "[1, 1]")


def test_percent_signs_are_not_read_as_the_grammars_own():
    schema = {"enum": ["%text", "%until", "100%"], "description": '%text "x"'}
    assert "%text" not in json_rule(schema)
    assert accepts(schema, '"%text"')
    assert accepts(schema, '"100%"')


def test_a_schema_of_its_own_cannot_change_how_it_is_read():
    schema = {"type": "object", "properties": {"a": {"not": {}}}, "x-guidance": {"lenient": True}}
    assert '"lenient"' not in json_rule(schema)
