"""The variables that a chat template is given."""

import json
from datetime import datetime
from typing import Any

from inference.chat.messages import Message
from inference.chat.sandbox import variables_read

# Used by templates of firefunction, which tell the model the date.
DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def template_context(
    source: str,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    bos_token: str = "",
    eos_token: str = "",
    variables: dict[str, Any] | None = None,
    add_generation_prompt: bool = True,
) -> dict[str, Any]:
    """Return the variables; the request's own cannot replace those that every template has. Raises TemplateRefused."""
    return {
        **_extras(source, tools),
        **(variables or {}),
        "messages": messages,
        "tools": tools,
        "bos_token": bos_token,
        "eos_token": eos_token,
        "add_generation_prompt": add_generation_prompt,
    }


def _extras(source: str, tools: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return what templates older than the variable `tools` expect, and no others: many ask what is defined."""
    names = variables_read(source)
    extras: dict[str, Any] = {}
    if "tools" not in names and "functions" in names:
        extras["functions"] = json.dumps(tools or [], ensure_ascii=False, indent=4)
    if "datetime" in names:
        extras["datetime"] = datetime.now().strftime(DATETIME_FORMAT)
    return extras
