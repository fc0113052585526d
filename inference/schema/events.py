"""Streams of events in /openapi.json."""

from typing import Any

EVENT_STREAM = "text/event-stream"


def describe_events(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of streams whose events have JSON of a component in them that it is in their `data`, as text.

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
        if "$ref" in content.get("schema", {}):
            content["schema"] = _event(content["schema"])
    return result


def _event(schema: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {"type": "object", "properties": {"data": data}, "required": ["data"]}
