"""What the fields of a registration may hold, beyond what Django's own validators say."""

import math

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from llmsite.config_models import is_model_name, tensor_split_of
from registry.template_syntax import SYNTAX

MAX_STOP_STRINGS = 16


def between(low: float, high: float) -> list:
    """Return the validators of a finite number from `low` to `high`."""
    return [validate_finite, MinValueValidator(low), MaxValueValidator(high)]


def validate_model_name(value: str) -> None:
    """Refuse a name that clients such as LibreChat would not send back unchanged."""
    if not is_model_name(value):
        raise ValidationError(
            _("“%(value)s” is not a model name: use letters, digits and _.:/@+-, the first one a letter or a digit."),
            code="invalid_name",
            params={"value": value},
        )


def validate_finite(value: float) -> None:
    """Refuse NaN, which slips through every comparison of the range validators."""
    if not math.isfinite(value):
        raise ValidationError(_("“%(value)s” is not a finite number."), code="not_finite", params={"value": value})


def validate_above_zero(value: float) -> None:
    """Refuse zero and less, for ranges that do not include their lower end."""
    if value <= 0:
        raise ValidationError(_("%(value)s is not above 0."), code="not_above_zero", params={"value": value})


def validate_tensor_split(value: str) -> None:
    """Refuse anything but numbers with commas between them."""
    try:
        tensor_split_of(value)
    except ValueError as error:
        raise ValidationError(
            _("“%(value)s” is not allowed: %(reason)s."),
            code="invalid_tensor_split",
            params={"value": value, "reason": str(error)},
        ) from error


def validate_stop(value: object) -> None:
    """Refuse anything but a list of up to 16 non-empty strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValidationError(
            _('%(value)s is not allowed: give a list of non-empty strings, for example ["###", "User:"].'),
            code="invalid_stop",
            params={"value": repr(value)},
        )
    if len(value) > MAX_STOP_STRINGS:
        raise ValidationError(
            _("%(count)d stop strings are too many: at most %(limit)d are allowed."),
            code="too_many_stop_strings",
            params={"count": len(value), "limit": MAX_STOP_STRINGS},
        )


def validate_chat_template(value: str) -> None:
    """Refuse a template that Jinja2 cannot compile, naming the line."""
    try:
        # Compiled, not only parsed: unknown filters and misplaced `break` are found by the compiler.
        SandboxedEnvironment(**SYNTAX).compile(value)
    except TemplateSyntaxError as error:
        raise ValidationError(
            _("Line %(line)d of the template: %(reason)s"),
            code="invalid_template",
            params={"line": error.lineno, "reason": error.message},
        ) from error


def validate_parameters(value: object) -> None:
    """Refuse anything but an object whose keys could be fields of a request."""
    if not isinstance(value, dict) or not all(value):
        raise ValidationError(
            _('%(value)s is not allowed: give an object of request parameters, for example {"temperature": 0}.'),
            code="invalid_parameters",
            params={"value": repr(value)},
        )


def validate_field_names(value: object) -> None:
    """Refuse anything but a list of names."""
    if not _is_list_of_names(value):
        raise ValidationError(
            _('%(value)s is not allowed: give a list of parameter names, for example ["seed"].'),
            code="invalid_field_names",
            params={"value": repr(value)},
        )


def validate_tool_names(value: object) -> None:
    """Refuse anything but a list of names."""
    if not _is_list_of_names(value):
        raise ValidationError(
            _('%(value)s is not allowed: give a list of function names, for example ["get_weather"].'),
            code="invalid_tool_names",
            params={"value": repr(value)},
        )


def _is_list_of_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
