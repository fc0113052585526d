"""Refuses rules of a preset that requests could not follow, with the serializers that read requests."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError as RequestError

from inference.chat.constraint import ToolPlan, build_constraint
from inference.exceptions import APIError, from_validation
from inference.preset_rules import FORCEABLE, STRIPPABLE, THINKING, RuledBody
from inference.serializers.base import RequestSerializer, shared
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.completions import CompletionRequestSerializer
from inference.serializers.responses import ResponseRequestSerializer
from registry.presets import Preset, Reasoning, rules_checked

# The shortest body of each endpoint that generates.
BODIES: dict[type[RequestSerializer], dict[str, Any]] = {
    ChatCompletionRequestSerializer: {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    CompletionRequestSerializer: {"model": "m", "prompt": "Hi"},
    ResponseRequestSerializer: {"model": "m", "input": "Hi"},
}


@receiver(rules_checked, sender=Preset)
def check_rules(instance: Preset, **kwargs: Any) -> None:
    """Raise ValidationError, naming parameter, value and what is allowed."""
    errors: dict[str, list[ValidationError]] = {}
    for field, check in (("forced", _forced_problems), ("stripped", _stripped_problems)):
        if problems := check(instance):
            errors[field] = problems
    if errors:
        raise ValidationError(errors)


def _forced_problems(preset: Preset) -> list[ValidationError]:
    if not isinstance(preset.forced, dict):
        return []  # the field's own validator says so
    if unknown := _unknown(preset.forced, FORCEABLE):
        return unknown
    problems = [problem for name, value in preset.forced.items() if (problem := _problem(name, value))]
    return problems or _contradictions(preset)


def _stripped_problems(preset: Preset) -> list[ValidationError]:
    return _unknown(preset.stripped, STRIPPABLE) if isinstance(preset.stripped, list) else []


def _unknown(names: Collection[Any], allowed: Collection[str]) -> list[ValidationError]:
    return [_refused(name, allowed) for name in names if name not in allowed]


def _refused(name: Any, allowed: Collection[str]) -> ValidationError:
    if name == "reasoning_effort":
        return ValidationError(_("“reasoning_effort” cannot be forced here: choose it as “reasoning” below."))
    reason = _("“%(name)s” cannot be ruled here. Allowed: %(allowed)s.")
    return ValidationError(reason, code="unknown_parameter", params={"name": name, "allowed": ", ".join(allowed)})


def _problem(name: str, value: Any) -> ValidationError | None:
    """Return what is wrong with a forced value, as a request with it would be told."""
    if value is None:
        reason = _("“%(name)s” is null, which says nothing: give a value, or leave it out.")
        return ValidationError(reason, code="null", params={"name": name})
    for serializer_class, body in BODIES.items():
        if message := _complaint(serializer_class, body, name, value):
            return ValidationError("%(message)s", code="invalid_parameter", params={"message": message})
    return None


def _complaint(serializer_class: type[RequestSerializer], body: dict[str, Any], name: str, value: Any) -> str:
    ruled = RuledBody(body, shared(serializer_class))
    try:
        ruled.force(name, value)
        parameters = shared(serializer_class).run_validation(ruled.body)
        build_constraint(parameters, ToolPlan(), None)
    except RequestError as error:
        return from_validation(error).message
    except APIError as error:
        return error.message
    return ""


def _contradictions(preset: Preset) -> list[ValidationError]:
    """Refuse forced thinking of a preset that switches it off."""
    if preset.reasoning != Reasoning.NONE:
        return []
    variables = preset.forced.get("chat_template_kwargs", {})
    names = ["reasoning_budget"] if "reasoning_budget" in preset.forced else []
    names += [f"chat_template_kwargs.{name}" for name in THINKING if name in variables]
    reason = _("“%(name)s” is about thinking, which is switched off below.")
    return [ValidationError(reason, code="contradiction", params={"name": name}) for name in names]
