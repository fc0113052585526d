"""The body of `/v1/chat/completions`."""

from typing import Any

from django.core.validators import MinLengthValidator
from rest_framework import serializers

from inference.serializers.fields import (
    LIMITS,
    ContentField,
    ObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    check_length,
    optional,
    optional_list,
    refuse,
)
from inference.serializers.sampling import GenerationRequestSerializer
from inference.serializers.tools import (
    FunctionChoiceField,
    FunctionSerializer,
    ToolChoiceField,
    ToolSerializer,
    check_choice,
)

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class FunctionCallSerializer(serializers.Serializer):
    name = StrictCharField(help_text="The function's name.")
    arguments = StrictCharField(
        allow_blank=True, required=False, default="{}", help_text="Its arguments, a JSON object as text."
    )


class ToolCallSerializer(serializers.Serializer):
    id = StrictCharField(help_text="Ties the tool message that answers to this call.")
    type = serializers.ChoiceField(choices=["function"], required=False, default="function")
    function = FunctionCallSerializer()


class MessageSerializer(serializers.Serializer):
    """One message of the conversation."""

    role = serializers.ChoiceField(choices=ROLES, help_text="Who speaks. `developer` means `system`.")
    content = ContentField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Text, or a list of text parts. Only an assistant message with tool calls may go without.",
    )
    name = StrictCharField(required=False, allow_null=True, allow_blank=True)
    tool_calls = optional_list(ToolCallSerializer())
    function_call = FunctionCallSerializer(required=False, allow_null=True, help_text="The older form of `tool_calls`.")
    tool_call_id = StrictCharField(required=False, allow_null=True, help_text="Required for the role `tool`.")
    reasoning_content = StrictCharField(required=False, allow_null=True, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        role = attrs["role"]
        calls = attrs.get("tool_calls") or attrs.get("function_call")
        if attrs["content"] is None and not (role == "assistant" and calls):
            raise serializers.ValidationError({"content": f"is required for the role `{role}`."})
        if role == "tool" and not attrs.get("tool_call_id"):
            raise serializers.ValidationError({"tool_call_id": "is required for the role `tool`."})
        if role == "function" and not attrs.get("name"):
            raise serializers.ValidationError({"name": "is required for the role `function`."})
        return attrs


class ReasoningSerializer(serializers.Serializer):
    """Reasoning in one object, as OpenRouter has it."""

    effort = StrictCharField(required=False, allow_null=True)
    max_tokens = StrictIntegerField(required=False, allow_null=True, min_value=0)


class ChatCompletionRequestSerializer(GenerationRequestSerializer):
    """The body of a chat completion request. What is absent comes from the model's generation defaults."""

    UNSUPPORTED = {
        "modalities": (["text"],),
        "audio": (),
        "web_search_options": (),
    }
    ADVICE = {
        "audio": "this server makes no sound; leave it out.",
        "web_search_options": "this server has no web search; leave it out.",
    }
    NAMES = {
        **GenerationRequestSerializer.NAMES,
        "max_tokens": ("max_tokens", "max_completion_tokens"),
        "reasoning_effort": ("reasoning_effort", "reasoning.effort"),
        "reasoning_budget": ("reasoning_budget", "reasoning.max_tokens"),
        "logprobs": ("logprobs", "top_logprobs", "n_probs"),
    }

    messages = serializers.ListSerializer(
        child=MessageSerializer(),
        allow_empty=False,
        validators=[MinLengthValidator(1)],  # says it in the schema, too
        help_text="The conversation, at least one message.",
    )
    max_completion_tokens = optional(StrictIntegerField, "Wins over `max_tokens`.", min_value=1)
    logprobs = optional(StrictBooleanField, "Report the log probability of every token.")
    top_logprobs = optional(
        StrictIntegerField,
        "Also of so many of the likeliest tokens in its place; needs `logprobs`.",
        min_value=0,
        max_value=20,
    )
    n_probs = optional(
        StrictIntegerField, "llama.cpp's name: `logprobs` with so many `top_logprobs`.", min_value=0, max_value=20
    )
    n = optional(StrictIntegerField, "How many answers to give.", min_value=1, max_value=min(128, LIMITS.choices))
    tools = optional_list(ToolSerializer(), "The functions the model may call.")
    tool_choice = optional(ToolChoiceField, "`auto` unless given; `none`, `required`, or a function by name.")
    parallel_tool_calls = optional(
        StrictBooleanField, "Whether one answer may hold several calls; it may unless false."
    )
    functions = optional_list(FunctionSerializer(), "The older form of `tools`; answered in its own form.")
    function_call = optional(FunctionChoiceField, "The older form of `tool_choice`.")
    continue_final_message = optional(
        StrictBooleanField, "Whether an assistant message at the end is continued, which it is unless false."
    )
    chat_template_kwargs = optional(ObjectField, "Variables for the chat template, such as `enable_thinking`.")
    reasoning_effort = optional(
        StrictCharField, "Passed to the chat template, which may know it or not. `none` means no thinking."
    )
    reasoning_budget = optional(StrictIntegerField, "Tokens of thinking at most; -1 is no limit.", min_value=-1)
    reasoning = optional(ReasoningSerializer, "`effort` and `max_tokens` in the place of the two fields above.")

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Look at the number of messages first: to check each of them takes time."""
        messages = data.get("messages")
        if isinstance(messages, list) and len(messages) > LIMITS.messages:
            expected = f"at most {LIMITS.messages} messages (limits.messages)"
            raise serializers.ValidationError({"messages": refuse(len(messages), expected).detail})
        return super().to_internal_value(data)

    def validate_messages(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse what a template would only make longer."""
        check_length(sum(_num_chars(message["content"]) for message in messages), "messages")
        return messages

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("top_logprobs") is not None and not attrs.get("logprobs"):
            raise serializers.ValidationError({"top_logprobs": "needs `logprobs: true`."})
        if attrs.get("continue_final_message") and attrs["messages"][-1]["role"] != "assistant":
            raise serializers.ValidationError({"continue_final_message": "needs an assistant message at the end."})
        if attrs.get("tools") and attrs.get("functions"):
            raise serializers.ValidationError({"functions": "cannot be combined with `tools`."})
        tools = [tool["function"]["name"] for tool in attrs.get("tools") or ()]
        functions = [function["name"] for function in attrs.get("functions") or ()]
        check_choice(attrs.get("tool_choice"), tools, "tool_choice")
        check_choice(attrs.get("function_call"), functions, "function_call")
        return attrs


def _num_chars(content: str | list[dict[str, Any]] | None) -> int:
    return sum(len(part["text"]) for part in content) if isinstance(content, list) else len(content or "")
