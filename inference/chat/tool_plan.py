"""Which tools a request offers, and how the model is told of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inference.chat.constraint import OfferedTool, ToolPlan
from inference.chat.formats import HERMES, ToolFormat
from inference.chat.messages import Message
from inference.chat.rewriting import as_text
from inference.chat.tool_support import tool_support

# For templates that know nothing of tools. The example is in the format that the answer is read by.
DESCRIPTION = """You can call functions. Each line describes one: its name, its use and a JSON schema of its arguments.
<tools>
{tools}
</tools>
To call a function, write exactly this, with its name and its arguments:
{example}
Several calls may follow one another. Their results come in the next message. Where no function helps, just answer."""
EXAMPLE = ("name_of_the_function", {"name_of_an_argument": "its value"})


@dataclass(frozen=True)
class Prompting:
    """What the template is given. `tools` None: it is not told of any. `format`: how the model writes calls."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None
    format: ToolFormat | None

    @property
    def write_call(self) -> Callable[[str, dict[str, Any]], str]:
        tool_format = self.format or HERMES
        return lambda name, arguments: tool_format.write([(name, arguments)])


def plan_tools(parameters: dict[str, Any]) -> ToolPlan:
    """Return what may be called. Of a named `tool_choice` that is one function."""
    choice = parameters.get("tool_choice") or "auto"
    tools = parameters.get("tools") or ()
    if choice == "none" or not tools:
        return ToolPlan()
    name = choice["function"]["name"] if isinstance(choice, dict) else None
    offered = tuple(_offered(tool, number) for number, tool in enumerate(tools))
    chosen = tuple(tool for tool in offered if name in (None, tool.name))
    is_parallel = name is None and parameters.get("parallel_tool_calls") is not False
    return ToolPlan(chosen, required=choice != "auto", parallel=is_parallel)


def prompt_for_tools(template: str, plan: ToolPlan, messages: list[Message]) -> Prompting:
    """Leave the tools to a template that knows them; else describe them in the system message."""
    support = tool_support(template)
    if not plan.tools:
        return Prompting(messages, None, support.format)
    tools = [tool.description for tool in plan.tools]
    if support.is_native:
        return Prompting(messages, tools, support.format)
    tool_format = support.format or HERMES
    text = DESCRIPTION.format(tools="\n".join(map(_line, tools)), example=tool_format.write([EXAMPLE]))
    if support.format is None:
        messages = as_text(messages, lambda name, arguments: HERMES.write([(name, arguments)]))
    return Prompting(_with_system(messages, text), None, tool_format)


def _offered(tool: dict[str, Any], number: int) -> OfferedTool:
    function = tool["function"]
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    param = f"tools[{number}].function.parameters"
    return OfferedTool(function["name"], schema, bool(function.get("strict")), param, tool)


def _line(tool: dict[str, Any]) -> str:
    return json.dumps(tool["function"], ensure_ascii=False)


def _with_system(messages: list[Message], text: str) -> list[Message]:
    """Append to the system message, or begin with one."""
    if messages and messages[0]["role"] == "system":
        return [{**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]
