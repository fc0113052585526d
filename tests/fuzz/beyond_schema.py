"""Why a body that matches the schema may be refused nevertheless: rules that OpenAPI 3.0 cannot express.

Each is the whole beginning of a message, field included, so that it lets go nothing else that is said of the field.
"""

import re

FIELD = r"Invalid `[\w.\[\]]+`(?: for model `[^`]+`)?: "
SCHEMAS = r"response_format\.json_schema\.schema|text\.format\.schema|tools\[\d+\]\.(?:function\.)?parameters|enum"
# What the message says, and why no schema can say it.
RULES = {
    rf"{FIELD}this model's token ids go from 0 to \d+, ": "the vocabulary is the model's",
    r"Invalid `dimensions`: this model's vectors have \d+ dimensions, got ": "so is the width",
    r"Invalid `suffix`(?: for model `[^`]+`)?: this model has no tokens for filling in the middle": "and its training",
    rf"{FIELD}.* \d+ tokens, this model takes at most \d+": "and its context",
    r"This model's maximum context length is \d+ tokens": "the same",
    r"Invalid `logit_bias`: expected (?:a token id or a text|a number between -100 and 100), got ": (
        "a pair's first item cannot be told from its second"
    ),
    r"Invalid `keep_alive`: expected seconds or a duration .*, at most 100 years; .*, got '[\d.hms]{20}": "a sum",
    r"Invalid `input`: these are token ids\. ": "depends on `tokenizer`",
    r"Invalid `top_logprobs`: needs `(?:logprobs: true|include: )": "depends on another field",
    r"Invalid `(?:tool_choice|function_call)`: needs `(?:tools|functions)`, of which there are none": "the same",
    r"Invalid `functions`: cannot be combined with `tools`": "the same",
    r"`\w+` and `\w+` cannot be combined\.": "the same",
    r"Invalid `continue_final_message`: needs an assistant message at the end": "depends on the last message",
    r"Invalid `[\w.]+`: names the function `.*`, which is not among the tools": "depends on `tools`",
    rf"{FIELD}is required for the role `\w+`": "depends on `role`",
    rf"{FIELD}belongs to chat completions; here it is ": "fields of another endpoint, to be forbidden one by one",
    rf"{FIELD}this server does not support it; leave it out": "the same for what OpenAI alone has",
    rf"{FIELD}this server (?:has|makes|compacts) no": "the same",
    r"Invalid `best_of`: expected at least `n`, ": "depends on `n`",
    rf"{FIELD}expected at most \d+ completions in one request": "a product of two fields",
    r"Invalid `(?:grammar|regex)`: (?!expected a string)": "a language of its own",
    rf"Invalid `(?:{SCHEMAS})[^`]*`: (?!expected an object)": "what a JSON schema says is more than its shape",
    r"Invalid `metadata`: expected keys of at most 64 characters, ": "propertyNames is not in OpenAPI 3.0",
    r"Previous response with id `[^`]*` not found: ": "depends on which responses are kept",
    r"Invalid `input\[\d+\]\.id`: item with id `[^`]*` not found": "the same, of their items",
    r"Invalid `after`: the list has no item ": "depends on the items of the response",
    r"Invalid `input\[\d+\][\w.]*`: no tool call found for ": "depends on the items before",
}


def is_beyond_schema(message: str) -> bool:
    return any(re.match(rule, message) for rule in RULES)
