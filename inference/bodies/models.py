"""Descriptions of models."""

from typing import Any

from registry.served_model import ServedModel


def model_body(served: ServedModel) -> dict[str, Any]:
    """Describe a model or preset. LibreChat reads the context from entries that have a context length and prices."""
    model = served.registration
    return {
        "id": served.name,
        "object": "model",
        "created": int((served.preset or model).created_at.timestamp()),
        "owned_by": "llmsite",
        "parent": model.name if served.preset else None,
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
