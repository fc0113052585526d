"""Descriptions of models."""

from typing import Any

from registry.models import RegisteredModel


def model_body(model: RegisteredModel) -> dict[str, Any]:
    """Describe a model. LibreChat reads the context window from entries that have a context length and prices."""
    return {
        "id": model.name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": "llmsite",
        "context_length": model.context_length,
        "pricing": {"prompt": "0", "completion": "0"},
        "meta": {
            "kind": model.kind,
            "architecture": model.architecture,
            "n_params": model.parameter_count,
            "quantization": model.quantization,
            "n_ctx_train": model.trained_context,
            "n_embd": model.embedding_length,
            "size": model.size_bytes,
        },
    }
