"""What real clients send: titles, extracted data, and the parameters of MCP servers' tools."""

from tests.schemas.containers import DIGIT, SHORT, record
from tests.schemas.scalars import Schema

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
TEXT: Schema = {"type": "string", "maxLength": 8}

CLIENTS: dict[str, Schema] = {
    "title of a conversation": {
        "type": "object",
        "properties": {
            "language": {**TEXT, "description": "The language of the conversation"},
            "title": {**TEXT, "description": "A concise title of at most 5 words, in that language"},
        },
        "required": ["language", "title"],
        "additionalProperties": False,
        "$schema": DRAFT_7,
    },
    "math reasoning": record(
        {
            "steps": {"type": "array", "items": record({"explanation": TEXT, "output": TEXT}), "maxItems": 3},
            "final_answer": TEXT,
        }
    ),
    "calendar event": record(
        {
            "name": TEXT,
            "date": {"type": "string", "format": "date"},
            "participants": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 3},
        }
    ),
    "moderation": record(
        {
            "is_violating": {"type": "boolean"},
            "category": {"type": ["string", "null"], "enum": ["violence", "sexual", "self_harm", None]},
            "explanation_if_violating": {"type": ["string", "null"], "maxLength": 8},
        }
    ),
    "user interface": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["div", "button", "form"]},
            "label": TEXT,
            "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2},
            "attributes": {"type": "array", "items": record({"name": SHORT, "value": SHORT}), "maxItems": 2},
        },
        "required": ["type", "label", "children", "attributes"],
        "additionalProperties": False,
    },
    "invoice": record(
        {
            "number": {"type": "string", "pattern": "^INV-[0-9]{4}$"},
            "issued": {"type": "string", "format": "date-time"},
            "currency": {"type": "string", "enum": ["EUR", "USD", "GBP"]},
            "lines": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "items": record(
                    {
                        "text": TEXT,
                        "quantity": {"type": "integer", "minimum": 1, "maximum": 99},
                        "price": {"type": "number", "minimum": 0, "maximum": 9.99, "multipleOf": 0.01},
                    }
                ),
            },
        }
    ),
    "entities": record(
        {
            "entities": {
                "type": "array",
                "maxItems": 2,
                "items": record({"text": TEXT, "label": {"enum": ["PERSON", "PLACE"]}, "start": DIGIT, "end": DIGIT}),
            }
        }
    ),
    "MCP: read a file": {
        "$schema": DRAFT_7,
        "type": "object",
        "properties": {
            "path": TEXT,
            "tail": {"type": "integer", "minimum": 0, "maximum": 99, "description": "only the last lines"},
            "head": {"type": "integer", "minimum": 0, "maximum": 99},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
    "MCP: edit a file": {
        "type": "object",
        "properties": {
            "path": TEXT,
            "edits": {
                "type": "array",
                "maxItems": 2,
                "items": {
                    "type": "object",
                    "properties": {"oldText": TEXT, "newText": TEXT},
                    "required": ["oldText", "newText"],
                    "additionalProperties": False,
                },
            },
            "dryRun": {"type": "boolean", "default": False},
        },
        "required": ["path", "edits"],
        "additionalProperties": False,
        "$schema": DRAFT_7,
    },
    "MCP: fetch": {
        "description": "Parameters for fetching a URL.",
        "properties": {
            "url": {"format": "uri", "minLength": 1, "maxLength": 16, "title": "Url", "type": "string"},
            "max_length": {"default": 5000, "exclusiveMaximum": 1000000, "exclusiveMinimum": 0, "type": "integer"},
            "raw": {"default": False, "title": "Raw", "type": "boolean"},
        },
        "required": ["url"],
        "title": "Fetch",
        "type": "object",
        "additionalProperties": False,
    },
    "MCP: knowledge graph": record(
        {
            "entities": {
                "type": "array",
                "maxItems": 2,
                "items": record(
                    {"name": TEXT, "entityType": TEXT, "observations": {"type": "array", "items": TEXT, "maxItems": 2}}
                ),
            }
        }
    ),
    "MCP: sequential thinking": {
        "type": "object",
        "properties": {
            "thought": TEXT,
            "nextThoughtNeeded": {"type": "boolean"},
            "thoughtNumber": {"type": "integer", "minimum": 1, "maximum": 9},
            "branchId": SHORT,
        },
        "required": ["thought", "nextThoughtNeeded", "thoughtNumber"],
        "additionalProperties": False,
    },
    "MCP: query": record(
        {
            "sql": TEXT,
            "params": {
                "type": "array",
                "items": {"type": ["string", "null", "boolean"], "maxLength": 3},
                "maxItems": 2,
            },
        }
    ),
    "weather": record(
        {"location": TEXT, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}, "days": DIGIT},
        description="Get the weather",
    ),
    "router of an agent": record(
        {
            "next": {"anyOf": [{"const": "FINISH"}, {"enum": ["researcher", "writer"]}]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        }
    ),
    "grammar of zod": {
        "$schema": DRAFT_7,
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "status": {"type": "string", "const": "ok"},
            "point": {"type": "array", "minItems": 2, "maxItems": 2, "items": [DIGIT, DIGIT]},
            "value": DIGIT,
            "score": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 5}, {"type": "null"}]},
        },
        "required": ["id", "status", "point", "score"],
        "additionalProperties": False,
    },
}
