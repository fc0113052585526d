"""The Jinja that chat templates run in. They come out of files from the internet: sandboxed, bounded in time and size.

Templates may change lists and dictionaries, since some keep a queue; every render works on its own copy of everything.
"""

import json
import time
from collections.abc import Callable, Iterable, Sized
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, NoReturn

from django.conf import settings
from jinja2 import Template, TemplateError, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import _PassArg

from inference.chat.costs import cost_of_call, cost_of_filter, cost_of_operator, shallow_size, size_of
from registry.template_syntax import SYNTAX

MAX_PROMPT_CHARS = settings.CONFIG.limits.prompt_chars
MAX_SECONDS = settings.CONFIG.limits.template_seconds
MAX_INTEGER_BITS = 4096
MAX_DETOURS = 64  # so many times the longest prompt may everything take that a template makes on its way

# A variable that no template can name, so none can set it.
LIMITS = "the limits of this render"


class TemplateRefused(Exception):
    """The template cannot render these messages; the message is the template's own or Jinja's."""


@dataclass
class Limits:
    """What one request may take of the web process; the time runs from here on, for all its renders together.

    made: characters of all that was made, whether it came into the prompt or not.
    """

    seconds: float = MAX_SECONDS
    chars: int = MAX_PROMPT_CHARS
    start: float = field(default_factory=time.monotonic)
    made: int = 0

    def spend(self, what: str, num_chars: int) -> None:
        """Account for what an operation makes, before it does. Raises TemplateRefused."""
        self.made += num_chars
        if num_chars > self.chars or self.made > self.chars * MAX_DETOURS:
            raise TemplateRefused(f"the result of `{what}` is too large")

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
        raise TemplateRefused(_reason(error)) from error
    return "".join(pieces)


@lru_cache(maxsize=64)
def variables_read(source: str) -> frozenset[str]:
    """Return the names of the variables that the template expects to be given. Raises TemplateRefused."""
    environment = _environment()
    try:
        return frozenset(find_undeclared_variables(environment.parse(source)))
    except Exception as error:  # as above
        raise TemplateRefused(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Return what an exception says, as the end of a sentence."""
    is_syntax = isinstance(error, TemplateSyntaxError)
    reason = f"line {error.lineno}: {error.message}" if is_syntax else str(error) or type(error).__name__
    return reason.rstrip(".")


class _CheckedCode(CodeGenerator):
    """Puts a call into every turn of a loop, which else may neither write nor call anything.

    `~` and slices become calls, too, since nothing else could look at what they make.
    """

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        checkpoint = nodes.Call(nodes.EnvironmentAttribute("checkpoint"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(checkpoint, lineno=node.lineno))
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined(context, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.sliced(context, ")
        self.visit(node.node, frame)
        for end in (node.arg.start, node.arg.stop, node.arg.step):
            self.write(", ")
            self.visit(end or nodes.Const(None), frame)
        self.write(")")


class _Sandbox(SandboxedEnvironment):
    """Checks the time at every call: of a macro, a method, a function, or the checkpoint of a loop.

    What calls, filters and operators make is counted, before they make it where they can make more than they get.
    """

    code_generator_class = _CheckedCode
    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def checkpoint(self) -> None:
        """Do nothing; `call` has checked."""

    def joined(self, context: Context, parts: tuple[Any, ...]) -> str:
        """Return what `~` makes of its operands."""
        context.parent[LIMITS].spend("~", size_of(parts))
        return "".join(map(str, parts))

    def sliced(self, context: Context, value: Any, *ends: Any) -> Any:
        """Return what `[start:stop:step]` makes of a value."""
        result = value[slice(*ends)]
        context.parent[LIMITS].spend("[:]", shallow_size(result))
        return result

    def call(self, context: Context, function: Any, /, *args: Any, **options: Any) -> Any:
        limits = context.parent[LIMITS]
        limits.check()
        if function == self.checkpoint:
            return None
        limits.spend("a call", cost_of_call(function, [*args, *options.values()]))
        result = super().call(context, function, *args, **options)
        limits.spend("a call", shallow_size(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator in ("*", "**") and _is_huge(operator, left, right):
            raise TemplateRefused(f"the result of `{operator}` is too large")
        if operator in ("+", "%"):
            context.parent[LIMITS].spend(operator, cost_of_operator(operator, left, right))
        result = super().call_binop(context, operator, left, right)
        if operator == "*":
            context.parent[LIMITS].spend(operator, shallow_size(result))
        return result


def _counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that accounts for what it makes."""
    kind = _PassArg.from_obj(function)

    @pass_context
    @wraps(function)
    def filtered(context: Context, value: Any, *args: Any, **options: Any) -> Any:
        limits = context.parent[LIMITS]
        limits.spend(name, cost_of_filter(name, value, [*args, *options.values()]))
        first = {
            _PassArg.context: context,
            _PassArg.eval_context: context.eval_ctx,
            _PassArg.environment: _environment(),
        }
        result = function(*([] if kind is None else [first[kind]]), value, *args, **options)
        limits.spend(name, shallow_size(result))
        return result

    return filtered


@pass_context
def _written(context: Context, value: Any) -> Any:
    """Account for a value that becomes text, perhaps in a block or macro that makes a longer value of it."""
    context.parent[LIMITS].spend("{{ }}", size_of(value))
    return value


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
    environment = _Sandbox(**SYNTAX, finalize=_written)
    environment.filters["tojson"] = _tojson
    environment.filters = {name: _counted(name, function) for name, function in environment.filters.items()}
    del environment.globals["lipsum"]
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
