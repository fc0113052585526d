"""Streams of events in /openapi.json."""

from typing import Any

EVENT_STREAM = "text/event-stream"


def describe_events(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of streams that each of their events has `data`, a text, and whose JSON it is if it is that of a component.

    A hook of drf-spectacular. `contentSchema` is of OpenAPI 3.1, and ignored by whoever does not know it.
    """
    contents = [
        response["content"].get(EVENT_STREAM, {})
        for operations in result["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        if "content" in response
    ]
    for content in contents:
        if "schema" in content:
            content["schema"] = _event(content["schema"])
    return result


def _event(schema: dict[str, Any]) -> dict[str, Any]:
    """schema: of what is in the data; one of a string where it is not always JSON (`[DONE]`)."""
    data = {"type": "string"}
    if "$ref" in schema:
        data |= {"contentMediaType": "application/json", "contentSchema": schema}
    return {"type": "object", "properties": {"event": {"type": "string"}, "data": data}, "required": ["data"]}
