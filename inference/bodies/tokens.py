"""Tokens of texts, and texts of tokens."""

from typing import Any

from inference.engine.messages import Tokens


def tokens_body(model: str, tokens: Tokens, with_pieces: bool) -> dict[str, Any]:
    listed: list[Any] = list(tokens.ids)
    if with_pieces:
        listed = [_token_body(*pair) for pair in zip(tokens.ids, tokens.pieces, strict=True)]
    return {"object": "tokens", "model": model, "tokens": listed, "count": len(listed)}


def text_body(model: str, text: bytes) -> dict[str, Any]:
    """Describe a text; what is no whole character becomes U+FFFD."""
    return {"object": "text", "model": model, "content": text.decode(errors="replace")}


def input_tokens_body(model: str, count: int) -> dict[str, Any]:
    return {"object": "chat.completion.input_tokens", "model": model, "input_tokens": count}


def _token_body(token: int, piece: bytes) -> dict[str, Any]:
    """Describe a token as llama-server does: a piece that is no whole character is a list of byte values."""
    try:
        return {"id": token, "piece": piece.decode()}
    except UnicodeDecodeError:
        return {"id": token, "piece": list(piece)}
