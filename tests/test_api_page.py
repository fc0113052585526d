"""docs/api.md says what the serializers do, and its examples are answered."""

import json
import re

import httpx
import pytest

from inference.serializers.chat import ROLES, MessageSerializer
from tests.api_tables import PAGE, TABLE, filled_in, tables

TEXT = PAGE.read_text()


def test_the_tables_are_those_of_the_serializers():
    """If not: `python -m tests.api_tables` writes them anew."""
    assert filled_in(TEXT) == TEXT


def test_every_table_is_there_and_every_parameter_is_explained():
    assert {match[2] for match in TABLE.finditer(TEXT)} == set(tables())
    unexplained = [
        line for line in TEXT.splitlines() if re.fullmatch(r"\| `\w+` \| (required|honoured|clamped) .*\|  \|", line)
    ]
    assert unexplained == []


def test_every_role_is_described():
    described = re.findall(r"^\| `(\w+)` \| [A-Z]", TEXT, re.MULTILINE)
    assert set(ROLES) <= set(described)


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
def test_examples_are_valid(example):
    body = json.loads(example)
    messages = body if isinstance(body, list) else body.get("messages", [body])
    serializer = MessageSerializer(data=messages, many=True)
    assert serializer.is_valid(), serializer.errors


def test_the_dialogue_goes_as_it_says(server):
    question, call, result, answer = map(json.loads, re.findall(r"```json\n(\{.*?)```", TEXT, re.DOTALL))

    def ask(messages: list[dict]) -> dict:
        body = {**question, "messages": messages, "temperature": 0}
        return httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).json()["choices"][0]

    called = ask(question["messages"])
    assert called["finish_reason"] == "tool_calls"
    [made] = called["message"]["tool_calls"]
    assert made["function"] == call["tool_calls"][0]["function"]
    final = ask([*question["messages"], called["message"], {**result, "tool_call_id": made["id"]}])
    assert final["message"]["content"] == answer["content"]
