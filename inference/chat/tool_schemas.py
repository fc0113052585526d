"""Tools as templates expect them that count on every key being there."""

from typing import Any


def complete_tools(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tools with the descriptions, parameters and types that they may go without."""
    return [{**tool, "function": _complete_function(tool["function"])} for tool in tools]


def _complete_function(function: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": [], **(function.get("parameters") or {})}
    parameters = {**_complete_schema(schema), "properties": _complete_properties(schema)}
    return {**function, "description": function.get("description") or "", "parameters": parameters}


def _complete_properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a schema, of which clients may have made anything; what is no object says nothing."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {
        name: {"description": "", **_complete_schema(value)} if isinstance(value, dict) else value
        for name, value in properties.items()
    }


def _complete_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with one type; what an object and a list hold is anything where the schema does not say."""
    complete = dict(schema)
    if isinstance(schema.get("type"), list):
        # A parameter that may be null is one that may be left out.
        complete["type"] = next((name for name in schema["type"] if name != "null"), "null")
    if complete.get("type") == "object":
        complete.setdefault("additionalProperties", {})
    if complete.get("type") == "array":
        complete["items"] = _complete_schema(schema["items"]) if isinstance(schema.get("items"), dict) else {}
    if "properties" in schema:
        complete["properties"] = _complete_properties(schema)
    return complete
