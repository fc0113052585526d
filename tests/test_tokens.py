"""POST /v1/tokenize, /v1/detokenize and /v1/chat/completions/input_tokens."""

import httpx
import openai
import pytest

from tests.test_chat_completions import WEATHER, user

TEXTS = [
    "",
    "Hello!",
    " two  spaces\n\n and\ttabs ",
    "Привет, мир! Ёжик",
    "🙂👩‍👩‍👧 你好",
    "<|im_start|>user\nHi<|im_end|>\n",
    "<tool_call>{}</tool_call>",
    "a" * 3000,
]


def post(server, path: str, **body: object) -> dict:
    response = httpx.post(f"{server.base_url}/{path}", json={"model": "demo", **body}, timeout=60)
    return response.json()


def tokenize(server, content: str, **options: object) -> dict:
    return post(server, "tokenize", content=content, **options)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("parse_special", [True, False])
def test_a_text_comes_back_from_its_tokens(server, text, parse_special):
    answer = tokenize(server, text, parse_special=parse_special)
    assert answer["object"] == "tokens"
    assert answer["model"] == "demo"
    assert answer["count"] == len(answer["tokens"])
    assert all(isinstance(token, int) for token in answer["tokens"])
    back = post(server, "detokenize", tokens=answer["tokens"])
    assert back == {"object": "text", "model": "demo", "content": text}


def test_special_tokens_are_recognised_unless_told_otherwise(server):
    assert tokenize(server, "<|im_end|>")["count"] == 1
    assert tokenize(server, "<|im_end|>", parse_special=False)["count"] > 1


def test_pieces_come_with_their_ids_and_are_bytes_where_they_are_no_text(server):
    for text in TEXTS:
        answer = tokenize(server, text, with_pieces=True)
        pieces = [token["piece"] for token in answer["tokens"]]
        assert b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces) == text.encode()
        assert [token["id"] for token in answer["tokens"]] == tokenize(server, text)["tokens"]
    assert any(isinstance(token["piece"], list) for token in tokenize(server, "🙂", with_pieces=True)["tokens"])


def test_a_part_of_a_character_becomes_a_replacement_character(server):
    first = tokenize(server, "🙂")["tokens"][0]
    assert post(server, "detokenize", tokens=[first])["content"] == "\ufffd"


@pytest.mark.parametrize(
    ("path", "body", "param", "part"),
    [
        ("tokenize", {}, "content", "required"),
        ("tokenize", {"content": 5}, "content", "expected a string, got 5"),
        ("tokenize", {"content": ["a"]}, "content", "expected a string"),
        ("tokenize", {"content": "a", "add_special": 1}, "add_special", "true or false, got 1"),
        ("tokenize", {"content": "a", "parse_special": "no"}, "parse_special", "true or false"),
        ("tokenize", {"content": "a", "with_pieces": None}, "with_pieces", "null"),
        ("tokenize", {"content": "a", "model": "x"}, "model", "`x` does not exist"),
        ("detokenize", {}, "tokens", "required"),
        ("detokenize", {"tokens": "1"}, "tokens", "a list of token ids, got '1'"),
        ("detokenize", {"tokens": [1, True]}, "tokens", "a list of token ids"),
        ("detokenize", {"tokens": [1, 1024]}, "tokens", "ids go from 0 to 1023, got 1024"),
        ("detokenize", {"tokens": [-1]}, "tokens", "ids go from 0 to 1023, got -1"),
        ("detokenize", {"tokens": [2**70]}, "tokens", "from 0 to 1023"),
        ("chat/completions/input_tokens", {}, "messages", "required"),
        ("chat/completions/input_tokens", {"messages": [user("a")], "top_p": 2}, "top_p", "between 0 and 1"),
    ],
)
def test_a_bad_field_is_named(server, path, body, param, part):
    error = post(server, path, **body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert part in error["message"]


def test_unknown_fields_are_named_in_a_header(server):
    body = {"model": "demo", "content": "a", "whatever": 1}
    assert httpx.post(f"{server.base_url}/tokenize", json=body, timeout=60).headers["x-ignored-fields"] == "whatever"


@pytest.mark.parametrize("options", [{}, {"tools": [WEATHER]}, {"tools": [WEATHER], "tool_choice": "none"}])
def test_input_tokens_are_those_of_the_completion(server, openai_client, options):
    messages = [{"role": "system", "content": "Будь краток. 🙂"}, user("What is the weather in Paris?")]
    counted = post(server, "chat/completions/input_tokens", messages=messages, **options)
    answer = openai_client.chat.completions.create(model="demo", messages=messages, max_tokens=1, **options)
    assert counted == {
        "object": "chat.completion.input_tokens",
        "model": "demo",
        "input_tokens": answer.usage.prompt_tokens,
    }


def test_a_conversation_over_the_context_can_be_counted(server):
    counted = post(server, "chat/completions/input_tokens", messages=[user("word " * 5000)], stream=True)
    assert counted["input_tokens"] > 5000


def test_the_official_client_can_post_it(openai_client):
    answer = openai_client.post(
        "/chat/completions/input_tokens", body={"model": "demo", "messages": [user("Hi")]}, cast_to=dict
    )
    assert answer["input_tokens"] > 1
    with pytest.raises(openai.NotFoundError):
        openai_client.post("/tokenize", body={"model": "no-such-model", "content": ""}, cast_to=dict)
