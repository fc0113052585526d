"""What every request that generates may say about how."""

import json
from typing import Any

from rest_framework import serializers

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import (
    LIMITS,
    MAX_STOP,
    BreakersField,
    KeepAliveField,
    LogitBiasField,
    SamplersField,
    StopField,
    StrictBooleanField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
    optional,
    refuse,
)
from inference.serializers.output import EnumField, ResponseFormatField

MAX_SEED = 2**63 - 1
MAX_INT = 2**31 - 1


# What is compiled into a grammar.
GRAMMAR_FIELDS = ("response_format", "grammar", "regex", "enum", "tools", "functions")


class StreamOptionsSerializer(serializers.Serializer):
    include_usage = StrictBooleanField(
        required=False, default=False, help_text="Send the usage in a chunk of its own, after the last choice."
    )


class GenerationRequestSerializer(RequestSerializer):
    """The model and how it generates. What is absent comes from the model's generation defaults."""

    # They exclude each other: who rules on one rules on all.
    NAMES = {"response_format": ("response_format", "grammar", "regex", "enum")}

    model = StrictCharField(help_text="The name of a model or a preset.")
    stream = optional(StrictBooleanField, "Send the answer as server-sent events.", default=False)
    stream_options = optional(StreamOptionsSerializer, "`include_usage`: the usage in a chunk of its own.")
    temperature = optional(StrictFloatField, "0 always takes the likeliest token.", min_value=0, max_value=2)
    top_p = optional(
        StrictFloatField, "Keep the likeliest tokens that together reach this probability.", min_value=0, max_value=1
    )
    top_k = optional(
        StrictIntegerField, "Keep so many tokens, the likeliest; 0 or -1 is all.", min_value=-1, max_value=1_000_000
    )
    min_p = optional(
        StrictFloatField, "Drop tokens less likely than this part of the likeliest one.", min_value=0, max_value=1
    )
    presence_penalty = optional(
        StrictFloatField, "Against tokens that the answer has already.", min_value=-2, max_value=2
    )
    frequency_penalty = optional(
        StrictFloatField, "Against tokens, the more often the answer has them.", min_value=-2, max_value=2
    )
    max_tokens = optional(StrictIntegerField, "Length limit of the answer; no more than fits the context.", min_value=1)
    stop = optional(StopField, f"Up to {MAX_STOP} strings that end the answer.")
    seed = optional(StrictIntegerField, "The same seed draws the same tokens.", min_value=-MAX_SEED, max_value=MAX_SEED)
    ignore_eos = optional(StrictBooleanField, "Generate up to the length limit; for benchmarks.")
    logit_bias = optional(
        LogitBiasField, "What is added to tokens' logits, by token id or text: -100 bans, 100 forces."
    )
    typical_p = optional(StrictFloatField, "Locally typical sampling; 1 is off.", min_value=0, max_value=1)
    top_n_sigma = optional(StrictFloatField, "Keep logits within n sigma; 0 is off.", min_value=0, max_value=100)
    repeat_penalty = optional(StrictFloatField, "Over prompt and answer; 1 is off.", min_value=0.1, max_value=10)
    repeat_last_n = optional(StrictIntegerField, "Tokens the repeat penalty looks back; -1 is all.", min_value=-1)
    dry_multiplier = optional(StrictFloatField, "Strength of DRY; 0 is off.", min_value=0, max_value=100)
    dry_base = optional(StrictFloatField, "How fast DRY grows with the repetition.", min_value=1, max_value=10)
    dry_allowed_length = optional(
        StrictIntegerField, "Repetitions up to this length are free.", min_value=0, max_value=MAX_INT
    )
    dry_penalty_last_n = optional(StrictIntegerField, "Tokens DRY looks back; -1 is all.", min_value=-1)
    dry_sequence_breakers = optional(BreakersField, "Texts over which no repetition reaches.")
    xtc_probability = optional(StrictFloatField, "How often XTC cuts; 0 is off.", min_value=0, max_value=1)
    xtc_threshold = optional(StrictFloatField, "Tokens likelier than this may be cut.", min_value=0, max_value=1)
    mirostat = optional(StrictIntegerField, "1 or 2 takes the place of the filters.", min_value=0, max_value=2)
    mirostat_tau = optional(StrictFloatField, "The surprise that mirostat aims at.", min_value=0, max_value=100)
    mirostat_eta = optional(StrictFloatField, "How fast mirostat adapts.", min_value=0, max_value=10)
    response_format = optional(ResponseFormatField, "Text, JSON, or JSON of a schema.")
    grammar = optional(StrictCharField, "A grammar that the answer follows: GBNF, or Lark for llguidance.")
    regex = optional(StrictCharField, "A regular expression that the answer matches.")
    enum = optional(EnumField, "Texts of which the answer is one.")
    keep_alive = optional(
        KeepAliveField, "How long the model stays in memory afterwards: seconds or `5m`; 0 not at all, -1 for ever."
    )
    samplers = optional(SamplersField, "The filters to use, in this order; others are left out.")

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        sizes = {name: len(json.dumps(data[name])) for name in GRAMMAR_FIELDS if data.get(name)}
        if sum(sizes.values()) > LIMITS.schema_size:
            largest = max(sizes, key=sizes.get)
            expected = f"at most {LIMITS.schema_size} bytes of JSON for schemas and grammars (limits.schema_size)"
            raise serializers.ValidationError({largest: refuse(sum(sizes.values()), expected).detail})
        return super().to_internal_value(data)
