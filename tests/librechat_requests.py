"""What LibreChat (v0.8.8) sends to a custom endpoint, and how it reads the answers.

Every chat there is an agent's: its requests come from LangChain's ChatOpenAI, through the `openai` package for Node.
The bodies hold the fields that it sends, and no others: no `stream_options`, and a temperature only if somebody set it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

Body = dict[str, Any]
Message = dict[str, Any]

USER_ID = "66b7c1d2e3f4a5b6c7d8e9f0"  # a MongoDB id of 24 hexadecimal digits
SYSTEM = {"role": "system", "content": "You are a friendly assistant. Keep it short."}
HEADERS = {
    "Authorization": "Bearer any-text",
    "Accept": "application/json",  # even for a stream
    "User-Agent": "langchainjs-openai/1.0.0 ((node/v24.21.0; linux; x64))",
    "X-Stainless-Lang": "js",
    "X-Stainless-Retry-Count": "0",
    "Accept-Language": "*",
    "Accept-Encoding": "gzip, deflate",
    "Sec-Fetch-Mode": "cors",
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CALCULATOR = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Compute the result of a mathematical expression.",
        "parameters": {
            "type": "object",
            "properties": {"input": {"type": "string", "description": 'An expression, e.g. "2 + 2 * 3"'}},
            "required": ["input"],
        },
    },
}
SET_MEMORY = {
    "type": "function",
    "function": {
        "name": "set_memory",
        "description": "Keep something important about the user.",
        "parameters": {
            "type": "object",
            "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
            "required": ["key", "value"],
        },
    },
}
TITLE_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "extract",
        "schema": {
            "type": "object",
            "properties": {
                "language": {"type": "string", "description": "The language of the conversation"},
                "title": {"type": "string", "description": "A title of at most 5 words"},
            },
            "required": ["language", "title"],
        },
    },
}


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def parts(message: Message) -> Message:
    """Return a message as the summary's request holds it: its text is a list of parts."""
    return {**message, "content": [{"type": "text", "text": message["content"]}]}


def chat(*messages: Message, model: str = "demo", stream: bool = True, **fields: Any) -> Body:
    """Return the body of a turn. `fields` are what the user has set, and the administrator's `addParams`."""
    return {"model": model, "user": USER_ID, "stream": stream, **fields, "messages": list(messages)}


def title(question: str) -> Body:
    """Return the request for a title by the method `completion`: one user message, not streamed."""
    instruction = (
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
        "Only return the title itself."
    )
    return chat(user(f"{instruction}\n\nConversation:\nUser: {question}\nAI: "), stream=False)


def structured_title(question: str) -> Body:
    """Return the request for a title by the methods `structured` and `functions`. The schema is not `strict`."""
    instruction = "Analyze this conversation and provide:\n1. The language\n2. A concise title, 5 words or less"
    return chat(user(f"{instruction}\n\nUser: {question}\nAI: "), stream=False, response_format=TITLE_SCHEMA)


@dataclass
class Answer:
    """A streamed answer as LangChain puts it together: only choices[0] counts, and the last usage that is not null."""

    chunks: list[dict[str, Any]]
    content: str = ""
    reasoning: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None

    def message(self, **fields: Any) -> Message:
        """Return the message that stands in later requests. The arguments are written anew."""
        if not self.calls:
            return assistant(self.content)
        calls = [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": _compact(call)}}
            for call in self.calls
        ]
        return {"role": "assistant", "content": self.content, "tool_calls": calls, **fields}

    def results(self, *contents: str) -> list[Message]:
        return [
            {"role": "tool", "content": content, "name": call["name"], "tool_call_id": call["id"]}
            for call, content in zip(self.calls, contents, strict=True)
        ]


class LibreChat:
    """Sends requests as LibreChat does, and checks on every stream what it depends on."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, headers=HEADERS, timeout=60)
        self._call_ids: set[str] = set()

    def post(self, body: Body, path: str = "/chat/completions", **options: Any) -> httpx.Response:
        return self.http.post(path, json=body, **options)

    def whole(self, body: Body) -> dict[str, Any]:
        """Return the one choice of an answer that is not streamed."""
        response = self.post(body)
        assert response.status_code == 200, response.text
        [choice] = response.json()["choices"]
        return choice

    def stream(self, *messages: Message, **fields: Any) -> Answer:
        return self.read(self.post(chat(*messages, **fields)))

    def error(self, body: Body, status: int = 400, path: str = "/chat/completions") -> dict[str, Any]:
        """Return the error in OpenAI's shape; of any other, LibreChat shows `400 status code (no body)`."""
        response = self.post(body, path)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "{" not in error["message"], "LibreChat would take it for JSON"
        return error

    def read(self, response: httpx.Response) -> Answer:
        """Put a stream together, and hold it against the rules of LangChain's reader."""
        assert response.status_code == 200, response.text
        assert "content-encoding" not in response.headers
        frames = [frame for frame in response.text.strip().split("\n\n") if not frame.startswith(":")]
        assert frames.pop() == "data: [DONE]"
        answer = Answer([json.loads(frame.removeprefix("data: ")) for frame in frames])
        assert answer.chunks[0]["choices"][0]["delta"]["role"] == "assistant", "calls and thinking get lost otherwise"
        assert len({chunk["id"] for chunk in answer.chunks}) == 1
        for chunk in answer.chunks:
            self._add(answer, chunk)
        assert answer.usage["total_tokens"] == answer.usage["prompt_tokens"] + answer.usage["completion_tokens"] > 0
        assert answer.finish_reason in ("stop", "length", "tool_calls")
        return answer

    def _add(self, answer: Answer, chunk: dict[str, Any]) -> None:
        answer.usage = chunk.get("usage") or answer.usage
        [choice] = chunk["choices"]
        answer.finish_reason = choice["finish_reason"] or answer.finish_reason
        delta = choice["delta"]
        assert not (delta.get("reasoning_content") and delta.get("content")), "the thinking would count as content"
        answer.content += delta.get("content") or ""
        answer.reasoning += delta.get("reasoning_content") or ""
        for part in delta.get("tool_calls", ()):
            self._add_call(answer, part)

    def _add_call(self, answer: Answer, part: dict[str, Any]) -> None:
        """The first part has the id and the name, the others the arguments; an id never comes again."""
        function = part["function"]
        if part["index"] == len(answer.calls):
            assert part["id"], "the turn would end without a word"
            assert part["id"] not in self._call_ids, "the tool would never be run"
            assert (part["type"], function["arguments"]) == ("function", "")
            self._call_ids.add(part["id"])
            answer.calls.append({"id": part["id"], "name": function["name"], "arguments": ""})
        else:
            assert set(function) == {"arguments"}
            answer.calls[part["index"]]["arguments"] += function["arguments"]


def _compact(call: dict[str, Any]) -> str:
    return json.dumps(json.loads(call["arguments"]), separators=(",", ":"))
