"""Renders messages by the chat template, as llama.cpp's callers do."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATE_FILE = Path(__file__).with_name("chat_template.jinja")
END = "<|im_end|>"


@cache
def _template() -> Template:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(TEMPLATE_FILE.read_text(encoding="utf-8"))


def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None, answer: bool = True) -> str:
    """Return the prompt for the messages; with `answer` it ends where the model is to write."""
    return _template().render(messages=messages, tools=tools, add_generation_prompt=answer, bos_token="", eos_token=END)
