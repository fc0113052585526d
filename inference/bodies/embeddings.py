"""Embeddings, as OpenAI's API describes them."""

import base64
import json

import numpy as np

from inference.engine.messages import Embeddings


def embeddings_text(model: str, embeddings: Embeddings, encoding_format: str) -> str:
    """Return the whole body as JSON.

    Written row by row, for a thread: one call of the encoder for millions of numbers would keep the interpreter, and
    with it every stream of the server, waiting for seconds.
    """
    rows = np.frombuffer(embeddings.vectors, "<f4").reshape(-1, embeddings.dimensions)
    data = ",".join(_entry(index, row, encoding_format) for index, row in enumerate(rows))
    usage = {"prompt_tokens": embeddings.prompt_tokens, "total_tokens": embeddings.prompt_tokens}
    rest = json.dumps({"model": model, "usage": usage}, ensure_ascii=False)
    return f'{{"object": "list", "data": [{data}], {rest[1:]}'


def _entry(index: int, row: np.ndarray, encoding_format: str) -> str:
    is_base64 = encoding_format == "base64"
    vector = base64.b64encode(row.tobytes()).decode() if is_base64 else row.tolist()
    return json.dumps({"object": "embedding", "index": index, "embedding": vector})
