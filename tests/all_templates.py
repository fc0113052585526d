"""Render a conversation with tools through every chat template of a folder, and say what was found out about each.

python -m tests.all_templates llama.cpp/models/templates
"""

import os
import sys
from pathlib import Path

import django

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def call(number: int, city: str) -> dict:
    function = {"name": "get_weather", "arguments": f'{{"city": "{city}"}}'}
    return {"id": f"call_{number}", "type": "function", "function": function}


CONVERSATION = [
    {"role": "system", "content": "You are a meteorologist."},
    {"role": "user", "content": "What is the weather in Rome and Paris?"},
    {"role": "assistant", "content": None, "tool_calls": [call(1, "Rome"), call(2, "Paris")]},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    {"role": "tool", "tool_call_id": "call_2", "content": "rainy"},
]


def main(folder: Path) -> None:
    """Print a line for each template, and how many render."""
    from inference.chat.messages import normalize
    from inference.chat.template import TemplateRefused, render_prompt
    from inference.chat.tool_support import tool_support

    paths = sorted(folder.glob("*.jinja"))
    num_rendered = 0
    for path in paths:
        template = path.read_text()
        try:
            render_prompt(template, normalize(CONVERSATION), [WEATHER], "<s>", "</s>")
            num_rendered += 1
            outcome = "renders"
        except TemplateRefused as error:
            outcome = f"refuses: {error}"
        support = tool_support(template)
        tool_format = support.format.name if support.format else "unknown"
        how = "its own" if support.is_native else "told in the system message"
        print(f"{path.stem:55} {outcome}; tools: {how}; format: {tool_format}")
    print(f"{num_rendered} of {len(paths)} render")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(Path(sys.argv[1]))
