"""Grammars: compiled by llguidance in a thread of their own, so that running sequences do not wait for them."""

import ctypes
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from inference.engine.bindings import lib
from inference.engine.messages import Constraint, InvalidParameter
from inference.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

MAX_CACHED = 64  # grammars; each with the lexer states that its sequences have met
SPECIAL = b"\xff"  # how llguidance wants control tokens to begin
TOKENS_PER_TURN = 512  # tokens read before other threads get their turn
# Sets of tokens whose masks are computed once. llguidance's two further ones make it no quicker here, but take about
# 0.1 s more of the interpreter lock, which `from_llamacpp` holds: 0.3 to 0.4 s for 150,000 tokens.
SLICES = [r'[^"\\\x00-\x1F\x7F]{1,10}', r'[^"\\\x00-\x1F\x7F]{1,30}']
TEXT = re.compile(r'%text\s*("(?:[^"\\]|\\.)*")')
UNTIL = re.compile(r'^%until\s+(\w+)\s*("(?:[^"\\]|\\.)*")$', re.MULTILINE)
ANYTHING = "/(?s:.*)/"


class GrammarCompiler:
    """Compiles a model's grammars; the most recently used ones stay compiled.

    `notify` is called, from the compiling thread, whenever a future has got its result.
    """

    def __init__(self, vocabulary: Vocabulary, notify: Callable[[], None]) -> None:
        self._vocabulary = vocabulary
        self._notify = notify
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="grammar")
        self._cache: OrderedDict[tuple[str, str], Future[LLMatcher]] = OrderedDict()
        self._tokenizer: LLTokenizer | None = None

    def compile(self, constraint: Constraint) -> "Future[LLMatcher]":
        """Return the future of a matcher to copy. Its exception is InvalidParameter if the grammar cannot be used."""
        key = constraint.grammar, constraint.param
        future = self._cache.get(key)
        if future is None:
            future = self._thread.submit(self._compile, *key)
            future.add_done_callback(lambda _: self._notify())
            self._cache[key] = future
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return future

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _compile(self, grammar: str, param: str) -> "LLMatcher":
        from llguidance import LLMatcher

        if self._tokenizer is None:
            self._tokenizer = self._build_tokenizer()
        lark = TEXT.sub(self._resolve_text, UNTIL.sub(self._resolve_until, grammar))
        matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(lark), log_level=0)
        if matcher.is_error():
            raise InvalidParameter(param, _reason(matcher.get_error()))
        return matcher

    def _resolve_text(self, match: "re.Match[str]") -> str:
        """Spell a text as Lark does: control tokens by their id, the rest quoted."""
        parts = self._vocabulary.split_controls(json.loads(match[1]))
        return " ".join(f"<[{part}]>" if isinstance(part, int) else json.dumps(part) for part in parts) or '""'

    def _resolve_until(self, match: "re.Match[str]") -> str:
        """Text never holds a control token, so before one it ends by itself; before other text it has to be lazy."""
        name, end = match[1], json.loads(match[2])
        first = self._vocabulary.split_controls(end)[0]
        if isinstance(first, int):
            return f"{name}: {ANYTHING} %text {match[2]}"
        head = f"{name}_head[lazy]: {ANYTHING} {json.dumps(first)}"
        return f"{head}\n{name}: {name}_head %text {json.dumps(end[len(first) :])}"

    def _build_tokenizer(self) -> "LLTokenizer":
        """Describe the vocabulary to llguidance; 0.7 to 0.8 s for 150,000 tokens."""
        from llguidance import LLTokenizer

        vocabulary = self._vocabulary
        controls = {token: SPECIAL + name.encode() for name, token in vocabulary.control_tokens.items()}
        tokens = []
        for token in range(vocabulary.size):
            tokens.append(controls.get(token) or vocabulary.piece(token))
            if token % TOKENS_PER_TURN == 0:
                time.sleep(0)  # lets the stepping thread have the interpreter lock
        return LLTokenizer.from_llamacpp(
            tokens=tokens,
            vocab_ptr=vocabulary.pointer,
            tokenize_fptr=ctypes.cast(lib._lib.llama_tokenize, ctypes.c_void_p).value,
            eos_token=vocabulary.end_tokens,
            slices=SLICES,
        )


def _reason(error: str) -> str:
    """Return the first line of llguidance's message; the others quote our grammar around the user's part."""
    text = error.strip().splitlines()[0]
    return re.sub(r"^at \d+\(\d+\): ", "", text)
