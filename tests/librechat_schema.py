"""What LibreChat 1.3.17 takes in librechat.yaml, as far as llmsite writes it; anything else is an error here."""

TEXT = {"type": "string", "minLength": 1}
TOKENS = {
    "type": "object",
    "properties": {
        "prompt": {"type": "number", "minimum": 0},
        "completion": {"type": "number", "minimum": 0},
        "context": {"type": "integer", "minimum": 1},
    },
    "required": ["prompt", "completion", "context"],
    "additionalProperties": False,
}
MODELS = {
    "type": "object",
    "properties": {"fetch": {"type": "boolean"}, "default": {"type": "array", "minItems": 1, "items": TEXT}},
    "required": ["default"],
    "additionalProperties": False,
}
ENDPOINT = {
    "type": "object",
    "properties": {
        # A name that begins with "ollama" or has "openrouter" in it is taken for that provider.
        "name": {**TEXT, "not": {"pattern": "^[Oo][Ll][Ll][Aa][Mm][Aa]|[Oo]pen[Rr]outer"}},
        "apiKey": TEXT,
        "baseURL": {"type": "string", "pattern": "^https?://[^/]+(/.*)?/v1$"},
        "models": MODELS,
        "titleConvo": {"type": "boolean"},
        "titleModel": TEXT,
        "titleMethod": {"enum": ["completion", "functions", "structured"]},
        "titleTiming": {"enum": ["immediate", "final"]},
        "titlePrompt": TEXT,
        "modelDisplayLabel": TEXT,
        "tokenConfig": {"type": "object", "additionalProperties": TOKENS},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "addParams": {"type": "object"},
        "dropParams": {"type": "array", "items": TEXT},
        "customParams": {"type": "object"},
        "streamRate": {"type": "number"},
        "directEndpoint": {"type": "boolean"},
        "iconURL": TEXT,
    },
    "required": ["name", "apiKey", "baseURL", "models"],
    "additionalProperties": False,  # forcePrompt, summarize and summaryModel are accepted there, and ignored
}
LIBRECHAT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "version": {"const": "1.3.17"},
        "cache": {"type": "boolean"},
        "endpoints": {
            "type": "object",
            "properties": {"custom": {"type": "array", "minItems": 1, "items": ENDPOINT}},
            "required": ["custom"],
            "additionalProperties": False,
        },
    },
    "required": ["version", "endpoints"],
    "additionalProperties": False,
}
