"""The Jinja that chat templates run in. They come out of files from the internet: sandboxed, bounded in time and size.

Templates may change lists and dictionaries, since some keep a queue; every render works on its own copy of everything.
"""

import json
import time
from collections.abc import Iterable, Sized
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from django.conf import settings
from jinja2 import Template, TemplateError, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from registry.template_syntax import SYNTAX

MAX_PROMPT_CHARS = settings.CONFIG.limits.prompt_chars
MAX_SECONDS = settings.CONFIG.limits.template_seconds
MAX_INTEGER_BITS = 4096

# A variable that no template can name, so none can set it.
LIMITS = "the limits of this render"


class TemplateRefused(Exception):
    """The template cannot render these messages; the message is the template's own or Jinja's."""


@dataclass(frozen=True)
class Limits:
    """What one request may take of the web process; the time runs from here on, for all its renders together."""

    seconds: float = MAX_SECONDS
    chars: int = MAX_PROMPT_CHARS
    start: float = field(default_factory=time.monotonic)

    def check(self, num_chars: int = 0) -> None:
        if num_chars > self.chars or time.monotonic() - self.start > self.seconds:
            raise TemplateRefused(f"it does not end within {self.chars} characters and {self.seconds} s")


def render(source: str, variables: dict[str, Any], limits: Limits) -> str:
    """Return what the template makes of the variables, which it cannot change. Raises TemplateRefused."""
    pieces, size = [], 0
    try:
        for piece in _compile(source).generate({**deepcopy(variables), LIMITS: limits}):
            pieces.append(piece)
            size += len(piece)
            limits.check(size)
    except TemplateRefused:
        raise
    except Exception as error:  # whatever a stranger's code raises, it is no error of the server
        raise TemplateRefused(str(error) or type(error).__name__) from error
    return "".join(pieces)


@lru_cache(maxsize=64)
def variables_read(source: str) -> frozenset[str]:
    """Return the names of the variables that the template expects to be given. Raises TemplateRefused."""
    environment = _environment()
    try:
        return frozenset(find_undeclared_variables(environment.parse(source)))
    except Exception as error:  # as above
        raise TemplateRefused(str(error)) from error


class _CheckedLoops(CodeGenerator):
    """Puts a call into every turn of a loop, which else may neither write nor call anything."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        checkpoint = nodes.Call(nodes.EnvironmentAttribute("checkpoint"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(checkpoint, lineno=node.lineno))
        super().visit_For(node, frame)


class _Sandbox(SandboxedEnvironment):
    """Checks the time at every call: of a macro, a method, a function, or the checkpoint of a loop."""

    code_generator_class = _CheckedLoops
    intercepted_binops = frozenset({"*", "**"})

    def checkpoint(self) -> None:
        """Do nothing; `call` has checked."""

    def call(self, context: Context, function: Any, /, *args: Any, **options: Any) -> Any:
        context.parent[LIMITS].check()
        return super().call(context, function, *args, **options)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if _is_huge(operator, left, right):
            raise TemplateRefused(f"the result of `{operator}` is too large")
        return super().call_binop(context, operator, left, right)


def _is_huge(operator: str, left: Any, right: Any) -> bool:
    """Say whether one operation could stop the whole process: nothing interrupts it, and memory is finite."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        return bits > MAX_INTEGER_BITS
    sequence, times = (left, right) if isinstance(left, Sized) else (right, left)
    return isinstance(sequence, Sized) and isinstance(times, int) and len(sequence) * times > MAX_PROMPT_CHARS


@lru_cache(maxsize=64)
def _compile(source: str) -> Template:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    """Return Jinja as Hugging Face's `apply_chat_template` sets it up, for which templates are written."""
    environment = _Sandbox(**SYNTAX)
    environment.filters["tojson"] = _tojson
    environment.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now)
    return environment


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Return JSON as Python writes it: Jinja's own filter escapes `<` and sorts the keys."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys, default=_as_list
    )


def _as_list(value: Any) -> list[Any]:
    """Return the elements of what `map`, `select` and `items` yield."""
    if isinstance(value, Iterable) and not isinstance(value, Undefined):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(format: str) -> str:  # noqa: A002
    return datetime.now().strftime(format)
