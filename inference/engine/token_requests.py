"""Requests that concern only a model's vocabulary."""

from typing import Protocol

from inference.engine.messages import (
    DetokenizeRequest,
    Failure,
    FailureCode,
    InvalidParameter,
    Output,
    TokenizeRequest,
    Tokens,
)


class VocabularyBackend(Protocol):
    """What the core needs of a vocabulary; `inference.engine.vocabulary.Vocabulary` is the real one."""

    def prepare(self) -> None: ...

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = True) -> list[int]: ...

    def prompt_tokens(self, prompt: str | tuple[int, ...], suffix: str | None = None) -> list[int]: ...

    def detokenize(self, tokens: tuple[int, ...], param: str = "tokens") -> bytes: ...

    def piece(self, token: int) -> bytes: ...

    def spelling(self, token: int) -> bytes: ...

    def is_end(self, token: int) -> bool: ...

    def markers(self, names: tuple[str, ...]) -> dict[int, bytes]: ...


def answer_token_request(vocabulary: VocabularyBackend, request: TokenizeRequest | DetokenizeRequest) -> Output:
    """Answer with a text's Tokens, or with the bytes of tokens."""
    if isinstance(request, TokenizeRequest):
        tokens = vocabulary.tokenize(request.text, request.add_special, request.parse_special)
        return Output(request.id, value=Tokens(tuple(tokens), tuple(map(vocabulary.spelling, tokens))))
    try:
        return Output(request.id, value=vocabulary.detokenize(request.tokens, request.param))
    except InvalidParameter as error:
        return refused(request.id, error)


def refused(request_id: str, error: InvalidParameter) -> Output:
    return Output(request_id, failure=Failure(FailureCode.INVALID_PARAMETER, str(error), param=error.param))
