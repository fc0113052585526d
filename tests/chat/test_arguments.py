"""Arguments in the notations that are not JSON."""

import json

import pytest

from inference.chat.python_arguments import PythonReader, split_arguments


def read(text: str) -> dict:
    fragment, rest = PythonReader().feed(f"{text}) rest")
    assert rest == " rest"
    return json.loads(fragment)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", {}),
        ("a=1, b='x'", {"a": 1, "b": "x"}),
        ('from="USD", to="EUR", in=2', {"from": "USD", "to": "EUR", "in": 2}),
        ('a b=1, x-y=2, ключ="да", 1=3', {"a b": 1, "x-y": 2, "ключ": "да", "1": 3}),
        ("a=True, b=None, c=true, d=null", {"a": True, "b": None, "c": True, "d": None}),
        ("a=[true, None, {'k': 'v', \"l\": false}]", {"a": [True, None, {"k": "v", "l": False}]}),
        (r'a="say \"hi\", (ok)", b="="', {"a": 'say "hi", (ok)', "b": "="}),
        (r"c='it\'s, so'", {"c": "it's, so"}),
        ("a=(1, 2), b=-1.5e3", {"a": [1, 2], "b": -1500.0}),
        ('a="\\u0001\\/", b="\\n"', {"a": "\x01/", "b": "\n"}),
        ("a = 1 , b =2,", {"a": 1, "b": 2}),
    ],
)
def test_python_arguments_become_json(text, arguments):
    assert read(text) == arguments


def test_what_is_no_call_in_python_stays_as_it_is():
    assert PythonReader().feed("a=oops, b) rest")[0] == "a=oops, b"


@pytest.mark.parametrize(
    ("text", "pieces"), [("", []), ("a=1", ["a=1"]), ("a=[1, 2],b=','", ["a=[1, 2]", "b=','"]), (" , ", [])]
)
def test_arguments_are_cut_at_the_commas_between_them(text, pieces):
    assert split_arguments(text) == pieces
