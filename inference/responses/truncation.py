"""What `truncation: auto` leaves of a conversation that does not fit the context."""

import json
from typing import Any

from inference.exceptions import ContextLengthExceeded

Message = dict[str, Any]


def shortened(messages: list[Message], overflow: ContextLengthExceeded, max_tokens: int | None) -> list[Message] | None:
    """Drop the oldest turns, at least one; None if there is only the last turn left.

    A turn begins with a message of the user. System messages stay. How many turns go follows from their share of the
    characters, so that the answer gets `max_tokens`, or else a quarter of the context; at most half of it.
    """
    context = overflow.context_length
    room = min(max_tokens or context // 4, context // 2)
    surplus = 1 - (context - room) / overflow.prompt_tokens
    to_drop = surplus * sum(map(_size, messages))
    starts = [index for index, message in enumerate(messages) if message["role"] == "user"][1:]
    for start in starts:
        rest = _without(messages, start)
        if sum(map(_size, messages)) - sum(map(_size, rest)) >= to_drop:
            return rest
    return _without(messages, starts[-1]) if starts else None


def _without(messages: list[Message], start: int) -> list[Message]:
    """Return the messages from `start` on, and the system messages before."""
    return [message for message in messages[:start] if message["role"] in ("system", "developer")] + messages[start:]


def _size(message: Message) -> int:
    return len(json.dumps(message, ensure_ascii=False))
