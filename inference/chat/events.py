"""What an answer is made of, in the order in which it comes."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Content:
    """Text of the answer."""

    text: str


@dataclass(frozen=True)
class Reasoning:
    """Text that the model thinks before it answers."""

    text: str


@dataclass(frozen=True)
class ToolCallBegin:
    """A call begins; calls of one message are numbered from 0. The id is unique for ever."""

    index: int
    id: str
    name: str


@dataclass(frozen=True)
class ToolCallArguments:
    """The next part of a call's arguments, which together are a JSON text."""

    index: int
    fragment: str


Event = Reasoning | Content | ToolCallBegin | ToolCallArguments


def new_call_id() -> str:
    """Return an id that no other call has: LibreChat does not run a call whose id it has seen before."""
    return f"call_{secrets.token_hex(12)}"
