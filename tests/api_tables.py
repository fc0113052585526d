"""The parameter tables of docs/api.md, made from the serializers. `python -m tests.api_tables` writes them anew."""

import json
import os
import re
from pathlib import Path

import django

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
TABLE = re.compile(r"(<!-- parameters of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
CLAMPED = ("max_tokens", "max_completion_tokens")
HEAD = "| Parameter | | Allowed | |\n|---|---|---|---|\n"


def tables() -> dict[str, str]:
    """Return the rows of each request body by the name of its serializer."""
    from inference.serializers.chat import ChatCompletionRequestSerializer
    from inference.serializers.completions import CompletionRequestSerializer
    from inference.serializers.embeddings import EmbeddingsRequestSerializer
    from inference.serializers.rerank import RerankRequestSerializer
    from inference.serializers.tokens import DetokenizeRequestSerializer, TokenizeRequestSerializer

    classes = (
        ChatCompletionRequestSerializer,
        CompletionRequestSerializer,
        EmbeddingsRequestSerializer,
        RerankRequestSerializer,
        TokenizeRequestSerializer,
        DetokenizeRequestSerializer,
    )
    return {each.__name__: HEAD + "".join(_rows(each())) for each in classes}


def filled_in(page: str) -> str:
    """Return the page with its tables as they should be."""
    rows = tables()
    return TABLE.sub(lambda match: match[1] + rows[match[2]] + match[3], page)


def _rows(serializer):
    from inference.serializers.base import WITHOUT_EFFECT

    for name, field in serializer.fields.items():
        treatment = "required" if field.required else "clamped" if name in CLAMPED else "honoured"
        yield f"| `{name}` | {treatment} | {_allowed(field)} | {field.help_text or ''} |\n"
    for name, harmless in sorted(serializer.UNSUPPORTED.items()):
        allowed = " or ".join(f"`{json.dumps(value)}`" for value in harmless)
        yield f"| `{name}` | refused | {allowed} | {serializer.ADVICE.get(name, '')} |\n"
    for name in sorted(WITHOUT_EFFECT - set(serializer.fields)):
        yield f"| `{name}` | ignored | anything | Changes no answer. |\n"


def _allowed(field) -> str:
    low, high = getattr(field, "min_value", None), getattr(field, "max_value", None)
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"
    if low is not None:
        return f"{_number(low)} or more"
    choices = getattr(field, "choices", None)
    return " or ".join(f"`{choice}`" for choice in choices) if choices else ""


def _number(value: float) -> str:
    powers = {2**63 - 1: "2^63 - 1", -(2**63 - 1): "-2^63 + 1", 2**31 - 1: "2^31 - 1"}
    return powers.get(value, f"{value:,}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PAGE.write_text(filled_in(PAGE.read_text()))
