"""What a trial has found out."""

from dataclasses import dataclass, field
from typing import Any

SHOWN_CHARS = 200


@dataclass(frozen=True)
class Outcome:
    """message: English, marked for translation, to be filled with params (numbers and texts).

    capabilities, by name: `tools`, `json`, `reasoning`, `stop`, `long_context` (whether), `languages` (list of codes),
    `tokens_per_second`, `prompt_tokens_per_second`, `parallel_tokens_per_second`, `first_token_ms`, and of the whole
    run `host_bytes` and `device_bytes`.
    """

    passed: bool
    message: str
    params: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)


def shown(text: str) -> str:
    """Return the beginning of an answer, for people, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else line[:SHOWN_CHARS] + "…"
