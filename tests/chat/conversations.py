"""A conversation with tools, and the small templates that the tests render it with."""

from typing import Any

USER = {"role": "user", "content": "Weather?"}
ANSWER = {"role": "assistant", "content": "Sun and rain."}
SYSTEM = {"role": "system", "content": "Be kind."}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Name."}}},
    },
}

# What the assistant says and calls, and what tools answer, each in one line.
PLAIN = "{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
WITH_CALLS = (
    "{% for m in messages %}{{ m.role }}:{{ m.content }}"
    "{% for c in m.tool_calls %}[{{ c.function.name }} {{ c.function.arguments | tojson }}]{% endfor %}"
    "{{ '\\n' }}{% endfor %}"
)
ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
)


def call(number: int, city: str) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": "weather", "arguments": {"city": city}}}


def result(number: int, text: str) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": f"call_{number}", "name": "weather"}


CALLING = {"role": "assistant", "content": "", "tool_calls": [call(1, "Rome"), call(2, "Oslo")]}
TOOL_USE = [USER, CALLING, result(1, "sun"), result(2, "rain")]
