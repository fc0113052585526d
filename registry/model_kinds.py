"""What a GGUF file can be used for: to chat, to make embeddings, or to rank documents.

The rules follow llama.cpp: which architectures have no memory (`llama_model::create_memory` in src/llama-model.cpp),
what each pooling type computes (`build_pooling` in src/llama-graph.cpp), and which graphs read a ranking head
(`cls` in src/models/).
"""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from gguf import Keys, PoolingType

from registry.gguf_header import GGUFError, StringArray

# They look at a whole text at once and cannot write. Without a pooling type they pool to the mean, which is also what
# sentence-transformers assumes.
ENCODERS = frozenset(
    (
        *("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3"),
        *("eurobert", "gemma-embedding", "llama-embed"),
    )
)
# They look at a whole text at once as well, but write, by filling in its masked places.
DIFFUSERS = frozenset(("dream", "llada", "llada-moe", "rnd1"))
# The tensor that makes the score. Others have `cls` tensors too, but no score comes out of them.
RANKING_HEADS = {
    **dict.fromkeys(("bert", "modern-bert", "neo-bert", "qwen3", "qwen3vl"), "cls.output.weight"),
    "jina-bert-v2": "cls.weight",
}
UNSPECIFIED = 2**32 - 1  # what llama.cpp writes as an unsigned -1 where it saves a model that names no pooling type
YES_AND_NO = 2  # the outputs of Qwen's rerankers; llama.cpp applies the softmax over them to these architectures only
SOFTMAX_RANKERS = frozenset(("qwen3", "qwen3vl"))


class Kind(models.TextChoices):
    """What a model is for."""

    CHAT = "chat", _("chat")
    EMBEDDING = "embedding", _("embedding")
    RERANK = "rerank", _("rerank")


def kind_of(architecture: str, fields: dict[str, Any], tensors: Collection[str]) -> Kind:
    """Return what the model is for, by its metadata and the names of its tensors; raise GGUFError if for nothing."""
    if architecture in DIFFUSERS:
        return Kind.CHAT
    pooling = _pooling_type(architecture, fields)
    has_head = RANKING_HEADS.get(architecture) in tensors
    # Converted rerankers of the BERT family do not name their pooling type; only they have the head.
    if pooling == PoolingType.RANK or (architecture in ENCODERS and not pooling and has_head):
        _refuse_broken_ranker(architecture, fields, has_head)
        return Kind.RERANK
    if pooling:
        return Kind.EMBEDDING
    is_causal = fields.get(Keys.Attention.CAUSAL.format(arch=architecture), True)
    if architecture in ENCODERS and pooling is None:
        return Kind.EMBEDDING
    if architecture in ENCODERS or not is_causal or "dense_2.weight" in tensors:
        raise _unservable(architecture, "it makes a vector for each token rather than one for a text")
    return Kind.CHAT


def _pooling_type(architecture: str, fields: dict[str, Any]) -> PoolingType | None:
    value = fields.get(Keys.LLM.POOLING_TYPE.format(arch=architecture))
    try:
        return None if value in (None, UNSPECIFIED) else PoolingType(value)
    except ValueError:
        raise _unservable(architecture, f"its pooling type {value!r} is none that llama.cpp knows") from None


def _refuse_broken_ranker(architecture: str, fields: dict[str, Any], has_head: bool) -> None:
    if architecture not in RANKING_HEADS:
        raise _unservable(architecture, "it ranks documents, which llama.cpp cannot compute with this architecture")
    if not has_head:
        head = RANKING_HEADS[architecture]
        raise _unservable(
            architecture,
            f"it ranks documents, but the tensor {head} that scores them is missing; convert the model "
            "again with a current convert_hf_to_gguf.py",
        )
    labels = fields.get(Keys.Classifier.OUTPUT_LABELS.format(arch=architecture))
    count = labels.count if isinstance(labels, StringArray) else 1
    expected = YES_AND_NO if architecture in SOFTMAX_RANKERS else 1
    if count != expected:
        raise _unservable(architecture, f"its head tells {count} classes apart, where a ranking one has {expected}")


def _unservable(architecture: str, reason: str) -> GGUFError:
    return GGUFError(f"This file (architecture {architecture}) cannot be served: {reason}.")
