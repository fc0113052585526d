"""A model's vocabulary: from text to tokens and back.

Only worker processes import this module.
"""

import ctypes
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from inference.engine.bindings import lib
from inference.engine.messages import InvalidParameter

NO_TOKEN = -1  # LLAMA_TOKEN_NULL (include/llama.h)
# From so many characters on, a text is cut at its next special token: see `Vocabulary.pieces`.
PIECE_LENGTH = 2048


class Vocabulary:
    """The tokenizer of a loaded model; token ids go from 0 to `size` - 1.

    A token's bytes need not be whole characters, and control tokens, such as `<|im_end|>`, have a name but no text.
    """

    def __init__(self, model: int) -> None:
        self.pointer = lib.llama_model_get_vocab(model)
        self.size = lib.llama_vocab_n_tokens(self.pointer)
        self._pieces: dict[int, bytes] = {}
        self._markers: dict[tuple[str, ...], dict[int, bytes]] = {}
        self._piece_buffer = ctypes.create_string_buffer(256)

    def prepare(self) -> None:
        """Find out what takes a walk through all tokens: 0.4 seconds with 150,000 of them, in any thread.

        Else the first long text and the first grammar wait for it, and all that is generated with them.
        """
        _ = self.end_tokens, self._seams

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = True) -> list[int]:
        """Return the tokens of a text; special tokens in it are recognised unless `parse_special` is False.

        With `add_special` a BOS token is added if the model wants one and the text does not begin with it already.
        """
        first, *others = self.pieces(text, parse_special)
        tokens = self._tokenize(first, add_special, parse_special)
        if others:
            closing = self._closing_tokens if add_special else []
            del tokens[len(tokens) - len(closing) :]
            for piece in others:
                tokens += self._tokenize(piece, False, parse_special)
            tokens += closing
        bos = lib.llama_vocab_bos(self.pointer)
        return tokens[1:] if add_special and tokens[:2] == [bos, bos] else tokens

    def pieces(self, text: str, parse_special: bool = True) -> Iterator[str]:
        """Cut a long text before special tokens, where the tokens of both sides do not depend on one another.

        `llama_tokenize` walks past all special tokens that it has found for each one that it finds: 40,000 in one text
        would keep it, and the sequences that wait for the next step, for many seconds.
        """
        start = 0
        # Most texts are short: for them, the special tokens need not even be known.
        while len(text) - start > PIECE_LENGTH and (
            match := self._seams[parse_special].search(text, start + PIECE_LENGTH)
        ):
            yield text[start : match.start()]
            start = match.start()
        yield text[start:]

    def prompt_tokens(self, prompt: str | Sequence[int], suffix: str | None = None) -> list[int]:
        """Return what a GenerateRequest's prompt and suffix come to. Raises InvalidParameter."""
        if suffix is not None:
            return self._infill_tokens(self._plain_tokens(prompt), self._plain_tokens(suffix))
        return self.tokenize(prompt, add_special=True) if isinstance(prompt, str) else self._plain_tokens(prompt)

    def detokenize(self, tokens: Sequence[int], param: str = "tokens") -> bytes:
        """Return the text of tokens, control tokens by their names. Raises InvalidParameter for `param`.

        The exact inverse of `tokenize`: `llama_detokenize` drops spaces before punctuation where the file asks for it.
        """
        text = b"".join(map(self.spelling, self._check(tokens, param)))
        return text.removeprefix(b" ") if self._adds_space else text

    def piece(self, token: int) -> bytes:
        """Return the bytes a token stands for; control tokens stand for none."""
        if token not in self._pieces:
            self._pieces[token] = self._token_to_piece(token)
        return self._pieces[token]

    def spelling(self, token: int) -> bytes:
        """Return a token's bytes; those of a control token are its name, such as `<|im_end|>`."""
        return self.piece(token) or lib.llama_vocab_get_text(self.pointer, token)

    def is_end(self, token: int) -> bool:
        return lib.llama_vocab_is_eog(self.pointer, token)

    @cached_property
    def end_tokens(self) -> list[int]:
        return [token for token in range(self.size) if self.is_end(token)]

    @cached_property
    def control_tokens(self) -> dict[str, int]:
        """The ids of control tokens by name."""
        return self._with_attribute(lib.LLAMA_TOKEN_ATTR_CONTROL)

    def markers(self, names: tuple[str, ...]) -> dict[int, bytes]:
        """Return the ids and spellings of those of the named control tokens that the model has."""
        if names not in self._markers:
            tokens = {name: self.tokenize(name) for name in names}
            self._markers[names] = {
                ids[0]: name.encode() for name, ids in tokens.items() if len(ids) == 1 and not self.piece(ids[0])
            }
        return self._markers[names]

    def split_controls(self, text: str) -> list[str | int]:
        """Cut a text at the names of control tokens, which become their ids."""
        return [self.control_tokens.get(part, part) for part in self._control_pattern.split(text) if part]

    @cached_property
    def _control_pattern(self) -> "re.Pattern[str]":
        return _any_of(self.control_tokens)

    @cached_property
    def _seams(self) -> dict[bool, "re.Pattern[str]"]:
        """Match special tokens that take no space from their left, and that are no part of another.

        By `parse_special`: without it only user-defined tokens are recognised.
        """
        user_defined = self._with_attribute(lib.LLAMA_TOKEN_ATTR_USER_DEFINED)
        special = self.control_tokens | user_defined
        insides = "\0".join(name[1:] for name in special)
        left = self._with_attribute(lib.LLAMA_TOKEN_ATTR_LSTRIP)
        usable = [name for name in special if name not in left and not name[:1].isspace() and name not in insides]
        return {True: _any_of(usable), False: _any_of(user_defined.keys() & usable)}

    @cached_property
    def _closing_tokens(self) -> list[int]:
        """What `add_special` puts behind a text: nothing with most models."""
        frame = self._tokenize("", True, False)
        return frame[1:] if lib.llama_vocab_get_add_bos(self.pointer) else frame

    @cached_property
    def _attributes(self) -> np.ndarray:
        """The attributes of each token (LLAMA_TOKEN_ATTR_…), read once: asking for all takes a tenth of a second."""
        attributes = (lib.llama_vocab_get_attr(self.pointer, token) for token in range(self.size))
        return np.fromiter(attributes, np.int32, self.size)

    def _with_attribute(self, attribute: int) -> dict[str, int]:
        """The ids of the tokens that have an attribute, by name."""
        ids = np.flatnonzero(self._attributes & attribute).tolist()
        return {lib.llama_vocab_get_text(self.pointer, token).decode(errors="replace"): token for token in ids}

    def _check(self, tokens: Sequence[int], param: str) -> Sequence[int]:
        """Return token ids that a request brings. Raises InvalidParameter for one that the vocabulary lacks."""
        end = self.size
        for token in tokens:
            if not 0 <= token < end:
                raise InvalidParameter(param, f"this model's token ids go from 0 to {end - 1}, got {token}")
        return tokens

    @cached_property
    def _adds_space(self) -> bool:
        """Whether the tokenizer puts a space before every text, as SentencePiece does."""
        return b"".join(map(self.piece, self._plain_tokens("a"))).startswith(b" ")

    def _plain_tokens(self, prompt: str | Sequence[int]) -> list[int]:
        if isinstance(prompt, str):
            return self.tokenize(prompt, parse_special=False)
        return list(self._check(prompt, "prompt"))

    def _infill_tokens(self, prompt: list[int], suffix: list[int]) -> list[int]:
        """Arrange both as models are trained to fill in the middle: prefix, suffix, and then what is missing."""
        before = lib.llama_vocab_fim_pre(self.pointer)
        after = lib.llama_vocab_fim_suf(self.pointer)
        middle = lib.llama_vocab_fim_mid(self.pointer)
        if NO_TOKEN in (before, after, middle):
            raise InvalidParameter("suffix", "this model has no tokens for filling in the middle")
        bos = [lib.llama_vocab_bos(self.pointer)] if lib.llama_vocab_get_add_bos(self.pointer) else []
        return [*bos, before, *prompt, after, *suffix, middle]

    def _tokenize(self, piece: str, add_special: bool, parse_special: bool) -> list[int]:
        text = piece.encode()
        # No tokenizer makes more tokens than bytes, but for the special ones it adds itself.
        capacity = len(text) + 8
        tokens = np.empty(capacity, np.int32)
        pointer = tokens.ctypes.data_as(lib.llama_token_p)
        count = lib.llama_tokenize(self.pointer, text, len(text), pointer, capacity, add_special, parse_special)
        return tokens[:count].tolist()

    def _token_to_piece(self, token: int) -> bytes:
        size = lib.llama_token_to_piece(self.pointer, token, self._piece_buffer, len(self._piece_buffer), 0, False)
        if size < 0:  # the piece is longer than the buffer: -size bytes
            self._piece_buffer = ctypes.create_string_buffer(-size)
            return self._token_to_piece(token)
        return self._piece_buffer.raw[:size]


def _any_of(names: Iterable[str]) -> "re.Pattern[str]":
    """Match any of the names, the longest first, in a group; nothing if there are none."""
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    return re.compile("(" + ("|".join(map(re.escape, longest_first)) or r"(?!)") + ")")
