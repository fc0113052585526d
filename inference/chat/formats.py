"""How families of models write tool calls: a table, read by the parser, the grammars and the probing of templates.

A call is a text with `$name` and `$arguments`; `$id` and `$index` stand for what some models number calls with. The
texts are those that the families' own chat templates render.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from string import Template
from typing import Any


class Dialect(Enum):
    """How arguments are written."""

    JSON = auto()
    TAGS = auto()  # each argument between tags of its own, strings as they are
    GEMMA = auto()  # {key:<|"|>text<|"|>,key:1}
    PYTHON = auto()  # key="text", key=1


@dataclass(frozen=True)
class ToolFormat:
    """A way of writing calls.

    `opening`, `separator` and `closing` go around and between several calls. `parameter` is one argument of the TAGS
    dialect. `variants` are other ways in which the same models write a call. `triggers` begin a call, or all of them.
    only_first: they do so only at the beginning of an answer, since they are not markers but ordinary text.

    Where an answer consists of messages with headers: `message_opening` begins those after the first, `answer_opening`
    the text for the user, `thinking` is what stands around the model's thoughts, and a call ends the answer.
    """

    name: str
    call: str
    triggers: tuple[str, ...]
    dialect: Dialect = Dialect.JSON
    parameter: str = ""
    opening: str = ""
    separator: str = "\n"
    closing: str = ""
    variants: tuple[str, ...] = ()
    only_first: bool = False
    message_opening: str = ""
    answer_opening: str = ""
    thinking: tuple[str, str] | None = None

    @property
    def has_messages(self) -> bool:
        return bool(self.message_opening)

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.call, *self.variants)

    @property
    def is_section(self) -> bool:
        """Whether all calls of an answer stand together between an opening and a closing."""
        return bool(self.opening)

    @cached_property
    def markers(self) -> tuple[str, ...]:
        """What may be control tokens in the texts of this format."""
        texts = "".join((self.opening, self.closing, self.separator, self.parameter, *self.calls))
        texts += "".join((self.message_opening, self.answer_opening, *(self.thinking or ())))
        return tuple(dict.fromkeys(MARKER.findall(texts) + ['<|"|>'] * (self.dialect is Dialect.GEMMA)))

    def write_variants(self, name: str, arguments: dict[str, Any]) -> list[str]:
        """Return the texts of a single call."""
        return [self.opening + self._write_call(0, name, arguments, call) + self.closing for call in self.calls]

    def write(self, calls: Iterable[tuple[str, dict[str, Any]]]) -> str:
        """Return the text of calls, each a function's name and its arguments."""
        written = [self._write_call(index, *call, self.call) for index, call in enumerate(calls)]
        return self.opening + self.separator.join(written) + self.closing

    def _write_call(self, index: int, name: str, arguments: dict[str, Any], call: str) -> str:
        text = self._write_arguments(arguments)
        return Template(call).substitute(name=name, arguments=text, id=f"call{index:05}", index=index)

    def _write_arguments(self, arguments: dict[str, Any]) -> str:
        if self.dialect is Dialect.TAGS:
            return "".join(self._write_parameter(*item) for item in arguments.items())
        if self.dialect is Dialect.GEMMA:
            return write_gemma(arguments)
        if self.dialect is Dialect.PYTHON:
            return ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        return json.dumps(arguments, ensure_ascii=False)

    def _write_parameter(self, key: str, value: Any) -> str:
        is_string = isinstance(value, str)
        text = value if is_string else json.dumps(value, ensure_ascii=False)
        return Template(self.parameter).substitute(key=key, value=text, is_string=json.dumps(is_string))


MARKER = re.compile(r"</?[^<>\s$={}]+>|\[/?[A-Z_]+\]")
GEMMA_QUOTE = '<|"|>'


def write_gemma(value: Any) -> str:
    """Return a value as Gemma 4 writes arguments."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{write_gemma(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_gemma, value)) + "]"
    if isinstance(value, str):
        return f"{GEMMA_QUOTE}{value}{GEMMA_QUOTE}"
    return json.dumps(value)


def _dsml(section: str) -> ToolFormat:
    return ToolFormat(
        f"deepseek-dsml-{section}",
        call='<｜DSML｜invoke name="$name">\n$arguments</｜DSML｜invoke>',
        triggers=(f"<｜DSML｜{section}>",),
        dialect=Dialect.TAGS,
        parameter='<｜DSML｜parameter name="$key" string="$is_string">$value</｜DSML｜parameter>\n',
        opening=f"<｜DSML｜{section}>\n",
        closing=f"\n</｜DSML｜{section}>",
    )


OBJECT = '{"name": "$name", "arguments": $arguments}'
OBJECT_WITH_ID = '{"name": "$name", "arguments": $arguments, "id": "$id"}'

HERMES = ToolFormat("hermes", f"<tool_call>\n{OBJECT}\n</tool_call>", ("<tool_call>",))

# gpt-oss; `harmony.py` reads it. The call ends with <|call|>, which ends the answer, too.
HARMONY = ToolFormat(
    "harmony",
    call="<|channel|>commentary to=functions.$name <|constrain|>json<|message|>$arguments",
    triggers=("<|channel|>commentary to=functions.", " to=functions."),
    variants=(
        "<|channel|>commentary to=functions.$name json<|message|>$arguments",
        " to=functions.$name<|channel|>commentary <|constrain|>json<|message|>$arguments",
        " to=functions.$name<|channel|>commentary json<|message|>$arguments",
    ),
    message_opening="<|start|>assistant",
    answer_opening="<|channel|>final<|message|>",
    thinking=("<|channel|>analysis<|message|>", "<|end|>"),
)

# The more there is to recognise a format by, the earlier it comes.
FORMATS = (
    HARMONY,
    ToolFormat(
        "deepseek-r1",
        call="<｜tool▁call▁begin｜>function<｜tool▁sep｜>$name\n```json\n$arguments\n```<｜tool▁call▁end｜>",
        triggers=("<｜tool▁calls▁begin｜>",),
        opening="<｜tool▁calls▁begin｜>",
        closing="<｜tool▁calls▁end｜>",
    ),
    ToolFormat(
        "deepseek-v3.1",
        call="<｜tool▁call▁begin｜>$name<｜tool▁sep｜>$arguments<｜tool▁call▁end｜>",
        triggers=("<｜tool▁calls▁begin｜>",),
        opening="<｜tool▁calls▁begin｜>",
        separator="",
        closing="<｜tool▁calls▁end｜>",
    ),
    _dsml("function_calls"),
    _dsml("tool_calls"),
    ToolFormat(
        "kimi-k2",
        call="<|tool_call_begin|>functions.$name:$index<|tool_call_argument_begin|>$arguments<|tool_call_end|>",
        triggers=("<|tool_calls_section_begin|>",),
        opening="<|tool_calls_section_begin|>",
        separator="",
        closing="<|tool_calls_section_end|>",
    ),
    ToolFormat(
        "solar",
        call="<|tool_call:begin|>$id<|tool_call:name|>$name<|tool_call:args|>$arguments<|tool_call:end|>",
        triggers=("<|tool_calls|>",),
        opening="<|tool_calls|>",
        separator="",
        closing="<|calls|>",
    ),
    ToolFormat(
        "gemma-4",
        call="<|tool_call>call:$name$arguments<tool_call|>",
        triggers=("<|tool_call>",),
        dialect=Dialect.GEMMA,
        separator="",
    ),
    ToolFormat("mistral", call="[TOOL_CALLS]$name[ARGS]$arguments", triggers=("[TOOL_CALLS]",), separator=""),
    ToolFormat(
        "mistral-id",
        call="[TOOL_CALLS]$name[CALL_ID]$id[ARGS]$arguments",
        triggers=("[TOOL_CALLS]",),
        separator="",
        variants=("[TOOL_CALLS]$name[ARGS]$arguments",),
    ),
    ToolFormat(
        "mistral-nemo",
        call=OBJECT_WITH_ID,
        triggers=("[TOOL_CALLS]",),
        opening="[TOOL_CALLS][",
        separator=", ",
        closing="]",
    ),
    ToolFormat(
        "seed",
        call="<seed:tool_call>\n<function=$name>\n$arguments</function>\n</seed:tool_call>",
        triggers=("<seed:tool_call>",),
        dialect=Dialect.TAGS,
        parameter="<parameter=$key>$value</parameter>\n",
    ),
    ToolFormat(
        "minimax-m2",
        call='<invoke name="$name">\n$arguments</invoke>',
        triggers=("<minimax:tool_call>",),
        dialect=Dialect.TAGS,
        parameter='<parameter name="$key">$value</parameter>\n',
        opening="<minimax:tool_call>\n",
        closing="\n</minimax:tool_call>",
    ),
    ToolFormat(
        "hunyuan",
        call="<tool_call:opensource>$name<tool_sep:opensource>\n$arguments</tool_call:opensource>",
        triggers=("<tool_calls:opensource>",),
        dialect=Dialect.TAGS,
        parameter="<arg_key:opensource>$key</arg_key:opensource>\n<arg_value:opensource>$value</arg_value:opensource>\n",
        opening="<tool_calls:opensource>\n",
        closing="\n</tool_calls:opensource>",
    ),
    ToolFormat(
        "minicpm",
        call='<function name="$name">$arguments</function>',
        triggers=("<function name=",),
        dialect=Dialect.TAGS,
        parameter='<param name="$key">$value</param>',
    ),
    ToolFormat(
        "qwen3-coder",
        call="<tool_call>\n<function=$name>\n$arguments</function>\n</tool_call>",
        triggers=("<tool_call>", "<function="),
        dialect=Dialect.TAGS,
        parameter="<parameter=$key>\n$value\n</parameter>\n",
        variants=("<function=$name>\n$arguments</function>",),
    ),
    ToolFormat(
        "glm-4",
        call="<tool_call>$name\n$arguments</tool_call>",
        triggers=("<tool_call>",),
        dialect=Dialect.TAGS,
        parameter="<arg_key>$key</arg_key>\n<arg_value>$value</arg_value>\n",
    ),
    ToolFormat(
        "glm-4.7",
        call="<tool_call>$name$arguments</tool_call>",
        triggers=("<tool_call>",),
        dialect=Dialect.TAGS,
        parameter="<arg_key>$key</arg_key><arg_value>$value</arg_value>",
        separator="",
    ),
    HERMES,
    ToolFormat("functionary-3.1", call="<function=$name>$arguments</function>", triggers=("<function=",), separator=""),
    ToolFormat(
        "command-r7b",
        call='{"tool_call_id": "$index", "tool_name": "$name", "parameters": $arguments}',
        triggers=("<|START_ACTION|>",),
        opening="<|START_ACTION|>[\n    ",
        separator=",\n    ",
        closing="\n]<|END_ACTION|>",
    ),
    ToolFormat(
        "apertus",
        call='{"$name": $arguments}',
        triggers=("<|tools_prefix|>",),
        opening="<|tools_prefix|>[",
        separator=", ",
        closing="]<|tools_suffix|>",
    ),
    ToolFormat(
        "lfm2",
        call="$name($arguments)",
        triggers=("<|tool_call_start|>",),
        dialect=Dialect.PYTHON,
        opening="<|tool_call_start|>[",
        separator=", ",
        closing="]<|tool_call_end|>",
    ),
    ToolFormat("gigachat-3.1", call=f"<|function_call|>{OBJECT}", triggers=("<|function_call|>",)),
    ToolFormat(
        "apriel",
        call=OBJECT_WITH_ID,
        triggers=("<tool_calls>",),
        opening="<tool_calls>[",
        separator=", ",
        closing="]</tool_calls>",
    ),
    ToolFormat(
        "minimax-m1",
        call=OBJECT,
        triggers=("<tool_calls>",),
        opening="<tool_calls>\n",
        closing="\n</tool_calls>",
    ),
    ToolFormat(
        "nemotron",
        call=OBJECT,
        triggers=("<TOOLCALL>",),
        opening="<TOOLCALL>[",
        separator=", ",
        closing="]</TOOLCALL>",
    ),
    ToolFormat(
        "granite-3",
        call=OBJECT,
        triggers=("<|tool_call|>",),
        opening="<|tool_call|>[",
        separator=", ",
        closing="]",
    ),
    ToolFormat(
        "llama-3",
        call='{"name": "$name", "parameters": $arguments}',
        triggers=('{"name": "', "<|python_tag|>"),
        separator="; ",
        variants=('<|python_tag|>{"name": "$name", "parameters": $arguments}',),
        only_first=True,
    ),
)
