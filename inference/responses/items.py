"""Items of a conversation as they are kept and listed: complete, each with an id that says where it is from."""

import secrets
from typing import Any

from inference.exceptions import InvalidRequest
from inference.responses.store import ResponseStore

Item = dict[str, Any]

PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco"}


def new_response_id() -> str:
    return f"resp_{secrets.token_hex(16)}"


def item_id(kind: str, response_id: str, place: str) -> str:
    """Return the id of a response's item; `place` is unique in the response. A reference finds the item by it."""
    return f"{PREFIXES[kind]}_{response_id.removeprefix('resp_')}_{place}"


async def resolved(items: list[Item], store: ResponseStore) -> list[Item]:
    """Return the items with those that are references replaced. Raises InvalidRequest if one leads nowhere."""
    found = await store.items(item["id"] for item in items if item["type"] == "item_reference")
    result = []
    for index, item in enumerate(items):
        if item["type"] != "item_reference":
            result.append(item)
        elif item["id"] in found:
            result.append(found[item["id"]])
        else:
            param = f"input[{index}].id"
            raise InvalidRequest(f"Invalid `{param}`: item with id `{item['id']}` not found.", param=param)
    return result


def complete(items: list[Item], response_id: str) -> list[Item]:
    """Return input items in the shape in which they are listed, each with an id that no other of them has."""
    result: list[Item] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        given = item.get("id")
        own = given if given and given not in seen else item_id(item["type"], response_id, f"i{index}")
        seen.add(own)
        result.append({**_complete(item), "id": own})
    return result


def _complete(item: Item) -> Item:
    item = {**item, "status": item.get("status") or "completed"}
    if item["type"] == "message":
        return {**item, "content": _content(item["role"], item["content"])}
    if item["type"] == "reasoning":
        return {**item, "summary": item.get("summary") or [], "content": item.get("content") or []}
    return item


def _content(role: str, content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    if role != "assistant":
        return [{"type": "input_text", "text": text_of([part])} for part in parts]
    return [part if part["type"] == "refusal" else {"annotations": [], **part, "type": "output_text"} for part in parts]


def text_of(content: str | list[dict[str, Any]]) -> str:
    """Return the text of a content: the parts of one message follow each other directly."""
    if isinstance(content, str):
        return content
    return "".join(part["refusal"] if part["type"] == "refusal" else part["text"] for part in content)
