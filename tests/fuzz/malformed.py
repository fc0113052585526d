"""Bodies that are no good, of every kind that was thought of. The same seed makes the same ones."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
CONTENT_TYPES = (
    JSON,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "a/b; charset=utf-16",
    "",
)
FEW = {"max_tokens": 4}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {}}}}
TOOL = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT = {
    "model": "demo",
    "messages": [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [{"type": "text", "text": "Hello!"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    ],
    "tools": [{"type": "function", "function": TOOL}],
    "tool_choice": "auto",
    "stop": ["x"],
    "logit_bias": {"5": 1},
    "keep_alive": "5m",
    "seed": 1,
    "temperature": 0.5,
    "top_k": 5,
    "repeat_last_n": 64,
    "dry_multiplier": 0.5,
    "dry_sequence_breakers": ["\n"],
    "samplers": ["top_k"],
    "logprobs": True,
    "top_logprobs": 1,
    "chat_template_kwargs": {"enable_thinking": False},
    "reasoning": {"effort": "low", "max_tokens": 1},
    "stream_options": {"include_usage": True},
    **FEW,
}
INPUT = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello!"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "1"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
]
RESPONSE = {
    "model": "demo",
    "input": INPUT,
    "tools": [{"type": "function", **TOOL}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["message.output_text.logprobs"],
    "metadata": {"a": "b"},
    "truncation": "auto",
    "previous_response_id": None,
    "max_output_tokens": 4,
}
COMPLETION = {
    "model": "demo",
    "prompt": ["One,", "two"],
    "suffix": None,
    "echo": True,
    "n": 1,
    "best_of": 1,
    "logprobs": 1,
    "logit_bias": [[5, False], ["a", 1]],
    "response_format": FORMAT,
    **FEW,
}
EMBEDDINGS = {"model": "embedder", "input": ["a", "b"], "encoding_format": "float", "dimensions": 8, "keep_alive": 60}
RERANK = {"model": "ranker", "query": "a", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True}
# What is sent, before it is spoiled.
GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/chat/completions/input_tokens": CHAT,
    "/v1/completions": COMPLETION,
    "/v1/embeddings": EMBEDDINGS,
    "/v1/rerank": RERANK,
    "/v1/tokenize": {"model": "demo", "content": "a", "add_special": True, "with_pieces": False},
    "/v1/detokenize": {"model": "demo", "tokens": [5, 6]},
    "/v1/responses": RESPONSE,
    "/v1/responses/input_tokens": RESPONSE,
    "/v1/models/demo/load": {},
}
NUMBERS = (-1, 0, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.1, -0.5, 1e308, -1e308, 1e-320)
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\u202e",
    "\ud7ff",
    "\U0010ffff",
    "9" * 5000,
    "{{ 7 * 7 }}",
    "../../etc/passwd",
    "' OR 1=1",
)
OTHERS = (None, True, False, [], {}, [[]], [None], {"": None}, {"a": {"b": [1]}}, [{"type": "text"}], ["a", 1, None])


@dataclass(frozen=True)
class Body:
    """kind: how it was spoiled."""

    kind: str
    path: str
    content: bytes
    content_type: str = JSON


def bodies(count: int, seed: int) -> Iterator[Body]:
    """Yield so many bodies; the kinds and the paths take turns."""
    return (_body(random.Random(f"{seed} {number}"), number) for number in range(count))


def _body(rng: random.Random, number: int) -> Body:
    kinds, paths = list(KINDS), list(GOOD)
    kind, path = kinds[number % len(kinds)], paths[number // len(kinds) % len(paths)]
    spoiled = KINDS[kind](rng, GOOD[path])
    content = spoiled if isinstance(spoiled, bytes) else json.dumps(spoiled).encode()
    return Body(kind, path, content, rng.choice(CONTENT_TYPES) if kind == "content type" else JSON)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the paths of everything in a value, at every depth, itself left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in ((*path, key), *places(item, (*path, key)))]


def with_value(value: Any, path: tuple, new: Any) -> Any:
    """Return a copy with something else in one place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = with_value(value[path[0]], path[1:], new)
    return copy


def _replaced(rng: random.Random, good: dict, new: Any) -> dict:
    inside = places(good)
    return with_value(good, rng.choice(inside), new) if inside else {"x": new}


def _wrong_type(rng: random.Random, good: dict) -> dict:
    for _ in range(rng.randint(1, 3)):
        good = _replaced(rng, good, rng.choice(OTHERS))
    return good


def _spelled(rng: random.Random, good: dict, spelling: str) -> bytes:
    """Put a text into JSON that no encoder would write."""
    return json.dumps(_replaced(rng, good, "@@")).replace('"@@"', spelling).encode()


def _broken(rng: random.Random, good: dict) -> bytes:
    text = bytearray(json.dumps(good).encode())
    for _ in range(rng.randint(1, 5)):
        place = rng.randrange(len(text) + 1)
        text[place : place + rng.randint(0, 3)] = rng.choice((b"", b"}", b'"', b",", b"\\", b"[", b"\n"))
    return bytes(text[: rng.randrange(len(text) + 1)] if rng.random() < 0.3 else text)


def _nested(rng: random.Random, good: dict) -> bytes:
    depth = rng.choice((50, 500, 900, 990, 2000, 100_000))
    left, right = rng.choice((("[", "]"), ('{"a":', "}"), ('{"type":"object","properties":{"a":', "}}")))
    return _spelled(rng, good, left * depth + "1" + right * depth)


def _duplicated(rng: random.Random, good: dict) -> bytes:
    key = rng.choice(["model", *good])
    text, pair = json.dumps(good), f'"{key}": {json.dumps(rng.choice(OTHERS))}'
    return (f"{{{pair}, {text[1:]}" if rng.random() < 0.5 else f"{text[:-1]}, {pair}}}").encode()


def _encoded(rng: random.Random, good: dict) -> bytes:
    text = json.dumps(_replaced(rng, good, "é😀"), ensure_ascii=False)
    encoding = rng.choice(("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp1251", "utf-7"))
    return rng.choice((b"", b"\xff", b"\x80")) + text.encode(encoding, errors="replace")


def _long(rng: random.Random, good: dict) -> dict:
    text = rng.choice(("a", "é", "\0", "{", "1 "))
    return _replaced(rng, good, rng.choice((text * rng.choice((1_000, 20_000, 70_000)), "<|im_end|>" * 1_000)))


def _many(rng: random.Random, good: dict) -> dict:
    return _replaced(rng, good, [rng.choice((*OTHERS, "a", 1))] * rng.choice((100, 3_000, 30_000)))


def _unknown_fields(rng: random.Random, good: dict) -> dict:
    names = ("__proto__", "__class__", "modle", "", "a" * 3000, "\r\nX-Injected: 1", "é", "self", "request")
    extra = {rng.choice(names): rng.choice(OTHERS) for _ in range(3)}
    inner = [path for path in places(good) if isinstance(_at(good, path), dict)]
    return (
        with_value(good, path, {**_at(good, path), **extra})
        if (path := rng.choice([(), *inner]))
        else {**good, **extra}
    )


def _at(value: Any, path: tuple) -> Any:
    for key in path:
        value = value[key]
    return value


def _not_an_object(rng: random.Random, good: dict) -> bytes:
    return rng.choice(
        (b"", b"null", b"[]", b'"x"', b"1", b"true", b"[{}]", b" ", b"\xef\xbb\xbf", b"a=b&c=d", b"{}", b"\0")
    )


def _missing(rng: random.Random, good: dict) -> dict:
    names = rng.sample(sorted(good), rng.randint(0, len(good)))
    return {name: value for name, value in good.items() if name not in names}


KINDS: dict[str, Callable[[random.Random, dict], Any]] = {
    "broken JSON": _broken,
    "wrong type": _wrong_type,
    "number": lambda rng, good: _replaced(rng, good, rng.choice(NUMBERS)),
    "no number": lambda rng, good: _spelled(
        rng, good, rng.choice(("NaN", "-Infinity", "1e999", "01", "1" * 9000, "0x1"))
    ),
    "text": lambda rng, good: _replaced(rng, good, rng.choice(TEXTS)),
    "surrogate": lambda rng, good: _spelled(
        rng, good, rng.choice((r'"\ud800"', r'"a\udfff"', r'{"\ud800": 1}', r'"\ud83d"'))
    ),
    "nesting": _nested,
    "duplicate key": _duplicated,
    "encoding": _encoded,
    "long text": _long,
    "long list": _many,
    "unknown field": _unknown_fields,
    "content type": _wrong_type,
    "not an object": _not_an_object,
    "missing field": _missing,
    "random bytes": lambda rng, good: rng.randbytes(rng.randint(0, 300)),
}
