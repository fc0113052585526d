"""What every request that generates may say about how."""

from rest_framework import serializers

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import (
    BreakersField,
    LogitBiasField,
    SamplersField,
    StopField,
    StrictBooleanField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
)

MAX_SEED = 2**63 - 1
MAX_INT = 2**31 - 1


class StreamOptionsSerializer(serializers.Serializer):
    include_usage = StrictBooleanField(
        required=False, default=False, help_text="Send the usage in a chunk of its own, after the last choice."
    )


class GenerationRequestSerializer(RequestSerializer):
    """The model and how it generates. What is absent comes from the model's generation defaults."""

    model = StrictCharField(help_text="The name of a registered model.")
    stream = StrictBooleanField(required=False, allow_null=True, default=False)
    stream_options = StreamOptionsSerializer(required=False, allow_null=True)
    temperature = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=2)
    top_p = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    top_k = StrictIntegerField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000, help_text="0 switches the filter off."
    )
    min_p = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    presence_penalty = StrictFloatField(required=False, allow_null=True, min_value=-2, max_value=2)
    frequency_penalty = StrictFloatField(required=False, allow_null=True, min_value=-2, max_value=2)
    max_tokens = StrictIntegerField(required=False, allow_null=True, min_value=1)
    stop = StopField(required=False, allow_null=True, help_text="Up to 16 strings that end the answer.")
    seed = StrictIntegerField(required=False, allow_null=True, min_value=-MAX_SEED, max_value=MAX_SEED)
    ignore_eos = StrictBooleanField(
        required=False, allow_null=True, help_text="Generate up to the length limit; for benchmarks."
    )
    logit_bias = LogitBiasField(
        required=False,
        allow_null=True,
        help_text="What is added to tokens' logits, by token id or text: -100 bans, 100 forces.",
    )
    typical_p = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="Locally typical sampling; 1 is off."
    )
    top_n_sigma = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="Keep logits within n sigma; 0 is off."
    )
    repeat_penalty = StrictFloatField(
        required=False, allow_null=True, min_value=0.1, max_value=10, help_text="Over prompt and answer; 1 is off."
    )
    repeat_last_n = StrictIntegerField(
        required=False, allow_null=True, min_value=-1, help_text="Tokens the repeat penalty looks back; -1 is all."
    )
    dry_multiplier = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="Strength of DRY; 0 is off."
    )
    dry_base = StrictFloatField(required=False, allow_null=True, min_value=1, max_value=10)
    dry_allowed_length = StrictIntegerField(required=False, allow_null=True, min_value=0, max_value=MAX_INT)
    dry_penalty_last_n = StrictIntegerField(
        required=False, allow_null=True, min_value=-1, help_text="Tokens DRY looks back; -1 is all."
    )
    dry_sequence_breakers = BreakersField(required=False, allow_null=True)
    xtc_probability = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="How often XTC cuts; 0 is off."
    )
    xtc_threshold = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    mirostat = StrictIntegerField(
        required=False, allow_null=True, min_value=0, max_value=2, help_text="1 or 2 takes the place of the filters."
    )
    mirostat_tau = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=100)
    mirostat_eta = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=10)
    samplers = SamplersField(
        required=False, allow_null=True, help_text="The filters to use, in this order; others are left out."
    )
