"""Why a body that matches the schema may be refused nevertheless: rules that OpenAPI 3.0 cannot express."""

import re

# What the message says, and why no schema can say it.
RULES = {
    r"token ids go from 0 to": "the vocabulary is the model's",
    r"this model's vectors have \d+ dimensions": "so is the width",
    r"no tokens for filling in the middle|at most \d+ tokens|context": "and what it was trained for, and its context",
    r"`logit_bias`: expected a token id or a text": "a pair's first item cannot be told from its second",
    r"these are token ids": "depends on `tokenizer`",
    r"needs `": "depends on another field",
    r"needs an assistant message at the end": "depends on the last message",
    r"cannot be combined with": "depends on another field",
    r"which is not among the tools": "depends on `tools`",
    r"is required for the role": "depends on `role`",
    r"belongs to chat completions": "fields of another endpoint, which a schema would have to forbid one by one",
    r"this server does not support it|this server (has|makes|compacts) no": "and the same for what OpenAI alone has",
    r"expected at least `n`": "depends on `n`",
    r"completions in one request": "a product of two fields",
    r"in GBNF|grammar|regular expression|regex": "a language of its own",
    r"schema": "what a JSON schema in a request says is more than its shape",
    r"keys of at most 64 characters": "propertyNames is not in OpenAPI 3.0",
    r"not found: there is none": "depends on which responses are kept",
    r"no tool call found for": "depends on the items before",
}


def is_beyond_schema(message: str) -> bool:
    return any(re.search(rule, message) for rule in RULES)
