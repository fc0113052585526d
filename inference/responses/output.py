"""The output of a response while it grows: a completion's events become items, and the events of a stream."""

from typing import Any

from inference.bodies.responses import (
    function_call_item,
    message_item,
    output_text,
    reasoning_item,
    reasoning_text,
    token_logprobs,
)
from inference.chat.completion import Finished, Logprobs
from inference.chat.events import Content, Event, Reasoning, ToolCallBegin
from inference.engine.messages import TokenLogprob
from inference.responses.items import Item, item_id

StreamEvent = dict[str, Any]


class Output:
    """`feed` takes a completion's events and returns those of the stream, `finish` the last ones.

    One item is open at a time: thoughts, a message or a call. What comes next closes it. `items` are all that have
    begun; the open one gets its text when it is closed.
    """

    def __init__(self, response_id: str) -> None:
        self.items: list[Item] = []
        self._response_id = response_id
        self._tokens: list[TokenLogprob] = []
        self._tokens_are_old = False
        self._text: list[str] = []
        self._text_tokens: list[TokenLogprob] = []
        self._is_open = False

    def feed(self, event: Event | Logprobs) -> list[StreamEvent]:
        if isinstance(event, Logprobs):
            self._add_tokens(event)
            return []
        if isinstance(event, Content):
            return self._add_content(event.text)
        self._tokens_are_old = True
        if isinstance(event, Reasoning):
            return [*self._begin_text("reasoning"), self._delta("response.reasoning_text.delta", event.text)]
        if isinstance(event, ToolCallBegin):
            return self._begin(function_call_item(self._new_id("function_call"), event.id, event.name))
        return [self._delta("response.function_call_arguments.delta", event.fragment, in_part=False)]

    def finish(self, finished: Finished) -> list[StreamEvent]:
        """Close what is open. An answer without anything is an empty message."""
        begun = [] if self.items else self._begin_text("message")
        return begun + self.close("incomplete" if finished.finish_reason == "length" else "completed")

    def close(self, status: str) -> list[StreamEvent]:
        """End the open item, if there is one."""
        if not self._is_open:
            return []
        item, self._is_open = self.items[-1], False
        events = self._close_call(item) if item["type"] == "function_call" else self._close_part(item)
        item["status"] = status
        return [*events, {"type": "response.output_item.done", "output_index": self._index, "item": {**item}}]

    def _add_tokens(self, event: Logprobs) -> None:
        """Hold tokens until their text comes; those of thoughts and calls are not reported."""
        held = [] if self._tokens_are_old else self._tokens
        self._tokens, self._tokens_are_old = [*held, *event.tokens], False

    @property
    def _index(self) -> int:
        return len(self.items) - 1

    @property
    def _place(self) -> dict[str, Any]:
        return {"item_id": self.items[-1]["id"], "output_index": self._index}

    def _new_id(self, kind: str) -> str:
        return item_id(kind, self._response_id, str(len(self.items)))

    def _add_content(self, text: str) -> list[StreamEvent]:
        begun = self._begin_text("message")
        tokens, self._tokens = self._tokens, []
        tokens = last_tokens(tokens, text) if begun else tokens
        self._text_tokens += tokens
        delta = self._delta("response.output_text.delta", text)
        return [*begun, {**delta, "logprobs": token_logprobs(tokens)}]

    def _begin_text(self, kind: str) -> list[StreamEvent]:
        """Make sure that an item of this kind is open, with its one part."""
        if self._is_open and self.items[-1]["type"] == kind:
            return []
        make, part = (message_item, output_text("")) if kind == "message" else (reasoning_item, reasoning_text(""))
        events = self._begin(make(self._new_id(kind)))
        return [*events, {"type": "response.content_part.added", **self._place, "content_index": 0, "part": part}]

    def _begin(self, item: Item) -> list[StreamEvent]:
        closing = self.close("completed")
        self.items.append(item)
        self._is_open, self._text, self._text_tokens = True, [], []
        added = {"type": "response.output_item.added", "output_index": self._index, "item": {**item}}
        return [*closing, added]

    def _delta(self, kind: str, text: str, in_part: bool = True) -> StreamEvent:
        self._text.append(text)
        part = {"content_index": 0} if in_part else {}
        return {"type": kind, **self._place, **part, "delta": text}

    def _close_call(self, item: Item) -> list[StreamEvent]:
        item["arguments"] = "".join(self._text)
        done = {"type": "response.function_call_arguments.done", **self._place}
        return [{**done, "name": item["name"], "arguments": item["arguments"]}]

    def _close_part(self, item: Item) -> list[StreamEvent]:
        text, place = "".join(self._text), {**self._place, "content_index": 0}
        if item["type"] == "reasoning":
            part, done = reasoning_text(text), {"type": "response.reasoning_text.done", **place, "text": text}
        else:
            part = output_text(text, self._text_tokens)
            done = {"type": "response.output_text.done", **place, "text": text, "logprobs": part["logprobs"]}
        item["content"] = [part]
        return [done, {"type": "response.content_part.done", **place, "part": part}]


def last_tokens(tokens: list[TokenLogprob], text: str) -> list[TokenLogprob]:
    """Return the tokens at the end that make up `text`; those before it were thoughts or their end tag."""
    missing = len(text.encode())
    for index in range(len(tokens) - 1, -1, -1):
        missing -= len(tokens[index].piece)
        if missing <= 0:
            return tokens[index:]
    return tokens
