"""The body of `/v1/completions`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.fields import (
    LIMITS,
    InputField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    check_length,
    is_token_list,
    optional,
    refuse,
)
from inference.serializers.sampling import GenerationRequestSerializer

MAX_CANDIDATES = 20  # of one prompt
MAX_COMPLETIONS = LIMITS.choices
MAX_LOGPROBS = 5
DEFAULT_MAX_TOKENS = 16

TOKENS = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            TOKENS,
            {"type": "array", "items": TOKENS, "minItems": 1},
        ]
    }
)
class PromptField(InputField):
    """A text, token ids, or a list of either; always a tuple of prompts inside."""

    def to_internal_value(self, data: Any) -> tuple[str | tuple[int, ...], ...]:
        prompts = [data] if isinstance(data, str) or (data and is_token_list(data)) else data
        if not isinstance(prompts, list) or not prompts:
            raise refuse(data, "a string, a list of token ids, or a list of either")
        return tuple(self._prompt(prompt, index) for index, prompt in enumerate(prompts))

    @staticmethod
    def _prompt(prompt: Any, index: int) -> str | tuple[int, ...]:
        if isinstance(prompt, str):
            check_length(len(prompt), "prompt")
            return prompt
        if not prompt or not is_token_list(prompt):
            raise refuse(prompt, f"a string or a list of token ids as prompt {index}")
        return tuple(prompt)


class CompletionRequestSerializer(GenerationRequestSerializer):
    """The body of a text completion request. What is absent comes from the model's generation defaults."""

    prompt = optional(
        PromptField,
        "What to continue: a text, token ids, or a list of either. Empty: the beginning of a text.",
        default=None,
    )
    suffix = optional(
        StrictCharField,
        "What comes after the gap to fill in; the model must have been trained for it.",
        allow_blank=True,
    )
    max_tokens = optional(
        StrictIntegerField, f"Without it, and without one in the model's defaults, {DEFAULT_MAX_TOKENS}.", min_value=0
    )
    n = optional(
        StrictIntegerField,
        "Completions of each prompt. With a seed, each has the next one.",
        min_value=1,
        max_value=MAX_CANDIDATES,
    )
    best_of = optional(
        StrictIntegerField,
        "Generate so many and return the `n` with the highest log probability per token.",
        min_value=1,
        max_value=MAX_CANDIDATES,
    )
    echo = optional(StrictBooleanField, "Begin with the prompt; with `logprobs`, with those of its tokens.")
    logprobs = optional(
        StrictIntegerField,
        "Report the log probability of every token, and of so many of the likeliest in its place.",
        min_value=0,
        max_value=MAX_LOGPROBS,
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["prompt"] = attrs["prompt"] or ("",)
        attrs["n"] = attrs.get("n") or 1
        attrs["best_of"] = attrs.get("best_of") or attrs["n"]
        attrs["suffix"] = attrs.get("suffix") or None
        self._check_candidates(attrs)
        if attrs["suffix"] and attrs.get("echo") and attrs.get("logprobs") is not None:
            raise serializers.ValidationError({"echo": "cannot report log probabilities around a `suffix`."})
        return attrs

    @staticmethod
    def _check_candidates(attrs: dict[str, Any]) -> None:
        n, best_of, num_prompts = attrs["n"], attrs["best_of"], len(attrs["prompt"])
        if best_of < n:
            raise serializers.ValidationError({"best_of": f"expected at least `n`, which is {n}, got {best_of}."})
        if best_of > n and attrs["stream"]:
            raise serializers.ValidationError({"best_of": "the best is known at the end and cannot be streamed."})
        if num_prompts * best_of > MAX_COMPLETIONS:
            expected = f"at most {MAX_COMPLETIONS} completions in one request (limits.choices)"
            raise serializers.ValidationError({"prompt": f"expected {expected}, got {num_prompts} x {best_of}."})
