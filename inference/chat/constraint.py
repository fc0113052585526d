"""What a request says about the form of its answer: formats, grammars and tool calls, as one constraint."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference.chat.formats import ToolFormat
from inference.chat.grammars import call_rules, json_rule, quoted, text_rule
from inference.chat.schema_problems import SchemaProblem, notation_problem, schema_problem
from inference.engine.messages import Constraint
from inference.exceptions import InvalidRequest

OUTPUT_FIELDS = ("response_format", "grammar", "regex", "enum")
ANY_OBJECT = {"type": "object"}


@dataclass(frozen=True)
class OfferedTool:
    """A function that may be called.

    schema: of its arguments; `strict`: all of it must be enforced. param: where in the request the schema stands.
    description: the tool as the request has it.
    """

    name: str
    schema: dict[str, Any]
    strict: bool
    param: str
    description: dict[str, Any]


@dataclass(frozen=True)
class ToolPlan:
    """The tools of a request and how they may be used. `required`: the answer must be a call."""

    tools: tuple[OfferedTool, ...] = ()
    required: bool = False
    parallel: bool = True

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        return {tool.name: tool.schema for tool in self.tools}


def build_constraint(
    parameters: Mapping[str, Any],
    plan: ToolPlan,
    tool_format: ToolFormat | None,
    may_think: bool = False,
) -> Constraint | None:
    """Return the constraint of a validated request, None if its answer is free. Raises InvalidRequest.

    may_think: thinking may come before the answer, and line breaks between the two.
    """
    output = _output(parameters)
    leads = _leads(tool_format, may_think)
    if not plan.tools or tool_format is None:
        return _of_output(output, tool_format, leads) if output else None
    calls = call_rules(tool_format, _checked(plan, tool_format), several=_may_be_several(plan, tool_format))
    if plan.required:
        return _grammar(["start: lead_call calls", *leads, *calls], "tools")
    if output:
        return _of_output_or_calls(output, calls, leads)
    grammar = "\n".join(["start: calls", *calls])
    return Constraint(grammar, "tools", tool_format.triggers, tool_format.only_first, repeats=plan.parallel)


def _may_be_several(plan: ToolPlan, tool_format: ToolFormat) -> bool:
    """Whether one text of the grammar may hold several calls."""
    return plan.parallel and not tool_format.has_messages and (plan.required or tool_format.is_section)


def _output(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field that gives the answer its form and the rules of `answer`, None if none does."""
    given = [field for field in OUTPUT_FIELDS if parameters.get(field)]
    if parameters.get("response_format", {}) and parameters["response_format"]["type"] == "text":
        given.remove("response_format")
    if len(given) > 1:
        raise InvalidRequest(f"`{given[0]}` and `{given[1]}` cannot be combined.", param=given[1])
    if not given:
        return None
    builders = {
        "response_format": _json_answer,
        "grammar": _grammar_answer,
        "regex": _regex_answer,
        "enum": _enum_answer,
    }
    return given[0], builders[given[0]](parameters[given[0]])


def _json_answer(response_format: dict[str, Any]) -> str:
    schema, param = ANY_OBJECT, "response_format.schema"
    if response_format["type"] == "json_schema":
        schema, param = response_format["json_schema"].get("schema"), "response_format.json_schema.schema"
    elif response_format.get("schema"):
        schema = response_format["schema"]
    if schema is None:
        schema = ANY_OBJECT
    check_schema(schema, param)
    return f"answer: {json_rule(schema)}"


def _grammar_answer(grammar: str) -> str:
    """Take Lark as it is, and translate llama.cpp's GBNF."""
    if not re.search(r"^\s*root\s*::=", grammar, re.MULTILINE):
        return grammar
    from llguidance.gbnf_to_lark import any_to_lark

    try:
        return any_to_lark(grammar)
    except Exception as error:
        raise InvalidRequest(
            f"Invalid `grammar`: it is no GBNF that can be translated: {error}.", param="grammar"
        ) from None


def _regex_answer(regex: str) -> str:
    from llguidance import LLMatcher, regex_to_lark

    if problem := LLMatcher.validate_grammar(LLMatcher.grammar_from_regex(regex)):
        raise InvalidRequest(f"Invalid `regex`: {_first_line(problem)}.", param="regex")
    return f"answer: /{regex_to_lark(regex)}/".replace("%", r"\x25")


def _enum_answer(choices: list[str]) -> str:
    return f"answer: {' | '.join(map(quoted, choices))}"


def _of_output(output: tuple[str, str], tool_format: ToolFormat | None, leads: list[str]) -> Constraint:
    field, rules = output
    if field == "grammar":
        _refuse_with_messages(tool_format)
        return Constraint(rules, field)
    return _grammar(["start: lead answer", *leads, rules], field)


def _of_output_or_calls(output: tuple[str, str], calls: list[str], leads: list[str]) -> Constraint:
    field, rules = output
    if field == "grammar":
        raise InvalidRequest("`grammar` and `tools` cannot be combined.", param="grammar")
    return _grammar(["start: lead answer | lead_call calls", *leads, rules, *calls], field)


def _leads(tool_format: ToolFormat | None, may_think: bool) -> list[str]:
    """Return the rules of what stands before an answer and before a call."""
    if tool_format and tool_format.has_messages:
        message = f"({text_rule(tool_format.message_opening)})?"
        return [f"lead: {message} {text_rule(tool_format.answer_opening)}", f"lead_call: {message}"]
    space = r"/\n{0,2}/" if may_think else '""'
    return [f"lead: {space}", f"lead_call: {space}"]


def _refuse_with_messages(tool_format: ToolFormat | None) -> None:
    if tool_format and tool_format.has_messages:
        raise InvalidRequest(
            "This model answers in channels, which a grammar of your own does not know; use `response_format`.",
            param="grammar",
        )


def _grammar(rules: list[str], param: str) -> Constraint:
    return Constraint("\n".join(rules), param)


def _checked(plan: ToolPlan, tool_format: ToolFormat) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return the schemas to enforce. One that cannot be, not even in part, only has to give an object."""
    schemas = {}
    for tool in plan.tools:
        if tool.strict:
            check_schema(tool.schema, tool.param)
            _refuse(notation_problem(tool.schema, tool_format.dialect), tool.param)
        elif schema_problem(json.dumps(tool.schema), lenient=True):
            schemas[tool.name] = ANY_OBJECT, False
            continue
        schemas[tool.name] = tool.schema, tool.strict
    return schemas


def check_schema(schema: dict[str, Any], param: str) -> None:
    """Raise InvalidRequest, naming the part, for a schema that cannot be enforced."""
    _refuse(schema_problem(json.dumps(schema), lenient=False), param)


def _refuse(problem: SchemaProblem | None, param: str) -> None:
    if problem:
        param += problem.location
        raise InvalidRequest(f"Invalid `{param}`: {problem.reason}.", param=param)


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0].rstrip(".")
