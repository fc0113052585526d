"""Ranked documents, in the shape that Jina's and Cohere's APIs share."""

from collections.abc import Sequence
from typing import Any

from inference.engine.messages import Relevance


def rerank_body(
    model: str, relevance: Relevance, documents: Sequence[str], top_n: int | None, return_documents: bool
) -> dict[str, Any]:
    """Describe the best documents, the most relevant first."""
    scores = relevance.scores
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[:top_n]
    results = [{"index": index, "relevance_score": scores[index]} for index in order]
    if return_documents:
        results = [{**result, "document": {"text": documents[result["index"]]}} for result in results]
    usage = {"prompt_tokens": relevance.prompt_tokens, "total_tokens": relevance.prompt_tokens}
    return {"model": model, "object": "list", "usage": usage, "results": results}
