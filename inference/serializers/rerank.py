"""The body of `/v1/rerank`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import (
    InputField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    TextField,
    check_length,
    optional,
    refuse,
)

MAX_DOCUMENTS = 2048
DOCUMENT_SCHEMA = {
    "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"]},
    ]
}


@extend_schema_field({"type": "array", "items": DOCUMENT_SCHEMA, "minItems": 1, "maxItems": MAX_DOCUMENTS})
class DocumentsField(InputField):
    """Texts, or objects with a `text`; always texts inside."""

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not data:
            raise refuse(data, "a list of documents")
        if len(data) > MAX_DOCUMENTS:
            raise refuse(len(data), f"at most {MAX_DOCUMENTS} documents")
        return [self._text(item, index) for index, item in enumerate(data)]

    @staticmethod
    def _text(item: Any, index: int) -> str:
        text = item.get("text") if isinstance(item, dict) else item
        if not isinstance(text, str) or not text:
            raise refuse(item, f"a non-empty string, or an object with one as `text`, as document {index}")
        check_length(len(text), f"document {index}")
        return text


class RerankRequestSerializer(RequestSerializer):
    """The body of a request to rank documents."""

    UNSUPPORTED = {
        "max_chunks_per_doc": (),
        "max_tokens_per_doc": (),
        "rank_fields": (["text"],),
    }

    model = StrictCharField(help_text="The name of a registered rerank model.")
    query = TextField(help_text="What the documents should answer.")
    documents = DocumentsField(help_text="Up to 2048 texts.")
    top_n = optional(StrictIntegerField, "Return only so many, the best ones. Absent: all.", min_value=1)
    return_documents = optional(StrictBooleanField, "Repeat the documents' texts in the answer.", default=False)
