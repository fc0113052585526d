"""Text completions, whole and as a stream. Both have the same shape."""

import codecs
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inference.bodies.chat import usage_body
from inference.chat.completion import KeepAlive, TotalUsage
from inference.engine.messages import TokenLogprob, Usage
from inference.exceptions import APIError
from inference.streaming import DONE, comment, sse
from inference.text.completion import Candidate, Part


@dataclass
class CompletionResponse:
    """What all chunks of one answer, or its one body, have in common.

    echoes: what each prompt's choices begin with. num_choices: of each prompt. has_logprobs: whether they are wanted.
    """

    model: str
    echoes: Sequence[str]
    num_choices: int
    has_logprobs: bool
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def body(self, choices: list[dict[str, Any]], usage: Usage | None = None) -> dict[str, Any]:
        head = {"id": self.id, "object": "text_completion", "created": self.created, "model": self.model}
        body = {**head, "choices": choices}
        return {**body, "usage": usage_body(TotalUsage(usage, 0))} if usage else body

    def completion(self, candidates: Sequence[Candidate], usage: Usage) -> dict[str, Any]:
        return self.body([self._whole(index, each) for index, each in enumerate(candidates)], usage)

    def new_choice(self, index: int) -> "Choice":
        return Choice(index, self.echoes[index // self.num_choices], self.has_logprobs)

    def _whole(self, index: int, candidate: Candidate) -> dict[str, Any]:
        return self.new_choice(index).body(
            candidate.text, candidate.finish_reason, candidate.prompt_logprobs, candidate.logprobs
        )


class Choice:
    """One choice's bodies: a single one, or the next chunk each time. The first begins with the echo."""

    def __init__(self, index: int, echo: str, has_logprobs: bool) -> None:
        self._index = index
        self._echo: str | None = echo
        self._has_logprobs = has_logprobs
        self._logprobs = LogprobColumns()

    def body(
        self,
        text: str,
        finish_reason: str | None,
        prompt_logprobs: Sequence[TokenLogprob],
        logprobs: Sequence[TokenLogprob],
    ) -> dict[str, Any]:
        if self._echo is not None:
            text = self._begin(prompt_logprobs) + text
        columns = self._logprobs.take([*prompt_logprobs, *logprobs]) if self._has_logprobs else None
        return {"text": text, "index": self._index, "logprobs": columns, "finish_reason": finish_reason}

    def _begin(self, prompt: Sequence[TokenLogprob]) -> str:
        echo, self._echo = self._echo, None
        # The prompt's tokens may begin with a BOS token or a space that its text does not have.
        self._logprobs.offset = len(echo) - len(b"".join(token.piece for token in prompt).decode(errors="replace"))
        return echo


class LogprobColumns:
    """Tokens as OpenAI describes them in text completions: a list for each property.

    offset: where in the choice's text the next token begins, in characters.
    """

    def __init__(self) -> None:
        self.offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def take(self, tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
        return {
            "tokens": [token_text(token.piece) for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [_alternatives(token) for token in tokens],
            "text_offset": [self._advance(token.piece) for token in tokens],
        }

    def _advance(self, piece: bytes) -> int:
        """Return where a token begins; one in the middle of a character begins where the character does."""
        offset = self.offset
        self.offset += len(self._decoder.decode(piece))
        return max(offset, 0)


def token_text(piece: bytes) -> str:
    r"""Return a token's text, or, for a part of a character, its bytes as OpenAI writes them: `bytes:\xd0`."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)


def _alternatives(token: TokenLogprob) -> dict[str, float] | None:
    """Return the likeliest tokens and the token itself; None where nothing was predicted."""
    if token.logprob is None:
        return None
    pairs = [*token.top, (token.piece, token.logprob)]
    return {token_text(piece): logprob for piece, logprob in pairs}


class CompletionEncoder:
    """Makes server-sent events of a completion's parts."""

    def __init__(self, response: CompletionResponse, include_usage: bool) -> None:
        self._response = response
        self._include_usage = include_usage
        self._choices: dict[int, Choice] = {}

    def begin(self) -> bytes:
        return b""

    def encode(self, event: Any) -> bytes:
        return comment(event.text) if isinstance(event, KeepAlive) else self._chunk(event)

    def fail(self, error: APIError) -> bytes:
        return sse(error.body())

    def end(self) -> bytes:
        return DONE

    def _chunk(self, part: Part) -> bytes:
        """The usage always comes: with the last chunk, or in one of its own where the client asked for that."""
        output = part.output
        choice = self._choices.setdefault(part.number, self._response.new_choice(part.number))
        body = choice.body(output.text, output.finish_reason, output.prompt_logprobs, output.logprobs)
        if part.usage and self._include_usage:
            return sse(self._response.body([body])) + sse(self._response.body([], part.usage))
        return sse(self._response.body([body], part.usage))
