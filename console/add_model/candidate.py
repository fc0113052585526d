"""A file before it is registered: what it says of itself, and what should be known of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from gguf import Keys

from inference.chat.messages import normalize
from inference.chat.sandbox import TemplateRefused
from inference.chat.template import render_prompt
from inference.engine.architectures import sequence_limit
from llmsite.config import resolve_path
from registry.formatting import human_bytes, human_count
from registry.gguf import GGUFError, part_paths, read_part
from registry.model_folders import refuse_outside
from registry.model_kinds import Kind
from registry.models import RegisteredModel
from registry.validators import validate_chat_template

LICENCE_KEYS = (
    Keys.General.LICENSE_NAME,
    Keys.General.LICENSE,
    Keys.General.LICENSE_LINK,
)
PREVIEW_SECONDS = 2.0
MAX_PREVIEW = 20_000  # characters
SAMPLE = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Italy?"},
]


@dataclass(frozen=True)
class Candidate:
    """A readable file. model: an unsaved registration of it. rows: label and value of what the file says."""

    model: RegisteredModel
    rows: list[tuple[str, str]]
    licence: str
    preview: str
    warnings: list[str]


def examine(path: str) -> Candidate:
    """Return what a file says; raise ValidationError if it may not or cannot be registered."""
    for part in part_paths(resolve_path(path)):
        refuse_outside(str(part))
    model = RegisteredModel(path=path)
    try:
        model.inspect()
        fields = read_part(model.resolved_path).fields
    except GGUFError as error:
        raise ValidationError(str(error)) from error
    preview, problem = _preview(model) if model.kind == Kind.CHAT else ("", "")
    warnings = [*filter(None, [problem]), *_warnings(model, fields)]
    return Candidate(model, list(_rows(model)), _licence(fields), preview, warnings)


def _rows(model: RegisteredModel) -> Iterator[tuple[str, str]]:
    yield _("name in the file"), model.display_name
    yield _("kind"), model.get_kind_display()
    yield _("architecture"), model.architecture
    yield _("parameters"), human_count(model.parameter_count)
    yield _("quantization"), model.quantization
    yield _("trained context"), str(model.trained_context or _("unknown"))
    yield _("layers"), str(model.layer_count or _("unknown"))
    yield _("size"), human_bytes(model.size_bytes)


def _licence(fields: dict[str, Any]) -> str:
    """Return the licence that the file names, "" if none."""
    return ", ".join(value for key in LICENCE_KEYS if isinstance(value := fields.get(key), str) and value)


def _preview(model: RegisteredModel) -> tuple[str, str]:
    """Return the sample conversation as the model would read it, and what is wrong with the template."""
    try:
        validate_chat_template(model.chat_template)
        tokens = (model.bos_token, model.eos_token)
        prompt = render_prompt(model.chat_template, normalize(SAMPLE), None, *tokens, max_seconds=PREVIEW_SECONDS)
    except ValidationError as error:
        return "", error.messages[0]
    except TemplateRefused as error:
        return "", _("The chat template refuses a simple conversation: %(reason)s.") % {"reason": error}
    return prompt[:MAX_PREVIEW], ""


def _warnings(model: RegisteredModel, fields: dict[str, Any]) -> Iterator[str]:
    if model.kind == Kind.CHAT and not model.chat_template:
        yield _(
            "The file has no chat template. ChatML is used, which may not be what the model was trained with; "
            "if answers are odd, give it another template on its page."
        )
    if model.trained_context and model.trained_context > model.auto_context_limit:
        text = _("It was trained for %(trained)d tokens. Left empty, the context size is %(used)d.")
        yield text % {"trained": model.trained_context, "used": model.auto_context_limit}
    if model.is_diffusion:
        yield _(
            "It is a diffusion model: each step computes the whole answer anew. Use a GPU for more than a try; answers "
            "that must follow a schema or call tools are refused."
        )
        if Keys.Tokenizer.MASK_ID not in fields:
            yield _(
                "The file does not say which token stands for masked places (%(key)s). One is guessed by its name; "
                "if answers make no sense, convert the model again with a current convert_hf_to_gguf.py."
            ) % {"key": Keys.Tokenizer.MASK_ID}
    if reason := sequence_limit(model.architecture):
        yield _("It answers one request at a time: %(reason)s.") % {"reason": reason}
    if namesake := RegisteredModel.objects.filter(path=model.path).first():
        yield _("The file is registered already, as “%(name)s”.") % {"name": namesake.name}
