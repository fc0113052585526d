"""Rendering of chat templates. They come out of files from the internet: sandboxed, and bounded in output."""

import json
import time
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from inference.chat.messages import Message, fold_system

# Both are checked whenever a template writes something; one that loops without writing goes on.
MAX_PROMPT_CHARS = 16 * 1024 * 1024
MAX_SECONDS = 10.0

# For files without a template of their own. ChatML is what most of them were trained on.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class TemplateRefused(Exception):
    """The template cannot render these messages; the message is the template's own or Jinja's."""


def render_prompt(
    source: str,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    bos_token: str = "",
    eos_token: str = "",
    variables: dict[str, Any] | None = None,
) -> str:
    """Return the prompt up to where the assistant's answer begins. Raises TemplateRefused.

    `variables` are the request's own (`chat_template_kwargs`). A template that knows no system role gets the system
    message in front of the first user message.
    """
    context = {
        **(variables or {}),
        "tools": tools,
        "bos_token": bos_token,
        "eos_token": eos_token,
        "add_generation_prompt": True,
    }
    try:
        return _render(source, {**context, "messages": messages})
    except TemplateRefused:
        folded = fold_system(messages)
        if folded is messages:
            raise
        return _render(source, {**context, "messages": folded})


def _render(source: str, context: dict[str, Any]) -> str:
    deadline = time.monotonic() + MAX_SECONDS
    pieces, size = [], 0
    try:
        for piece in _compile(source or CHATML).generate(context):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_PROMPT_CHARS or time.monotonic() > deadline:
                raise TemplateRefused(f"it does not end within {MAX_PROMPT_CHARS} characters and {MAX_SECONDS} s")
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TemplateRefused(str(error) or type(error).__name__) from error
    return "".join(pieces)


@lru_cache(maxsize=64)
def _compile(source: str) -> Template:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    """Return Jinja as Hugging Face's `apply_chat_template` sets it up, for which templates are written."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now)
    return environment


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(format: str) -> str:  # noqa: A002
    return datetime.now().strftime(format)
