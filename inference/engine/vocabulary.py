"""A model's tokens and what they stand for."""

import ctypes
import re
from functools import cached_property

import numpy as np

from inference.engine.bindings import lib


class Vocabulary:
    """The tokenizer of a loaded model. Token ids go from 0 to `size` - 1."""

    def __init__(self, model: int) -> None:
        self.pointer = lib.llama_model_get_vocab(model)
        self.size = lib.llama_vocab_n_tokens(self.pointer)
        self._pieces: dict[int, bytes] = {}
        self._buffer = ctypes.create_string_buffer(256)

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = True) -> list[int]:
        """Return the tokens of a text. `parse_special`: names of control tokens in it mean the tokens.

        `add_special` puts a BOS token in front, if the model wants one and the text does not begin with it.
        """
        tokens = self._tokenize(text.encode(), add_special, parse_special)
        bos = lib.llama_vocab_bos(self.pointer)
        return tokens[1:] if add_special and tokens[:2] == [bos, bos] else tokens

    def piece(self, token: int) -> bytes:
        """Return the bytes a token stands for; control tokens stand for none."""
        if token not in self._pieces:
            self._pieces[token] = self._token_to_piece(token)
        return self._pieces[token]

    def spelling(self, token: int) -> bytes:
        """Return a token's bytes; those of a control token are its name, such as `<|im_end|>`."""
        return self.piece(token) or lib.llama_vocab_get_text(self.pointer, token)

    def is_end(self, token: int) -> bool:
        """Say whether a token ends an answer."""
        return lib.llama_vocab_is_eog(self.pointer, token)

    @cached_property
    def end_tokens(self) -> list[int]:
        return [token for token in range(self.size) if self.is_end(token)]

    @cached_property
    def control_tokens(self) -> dict[str, int]:
        """The ids of control tokens by name."""
        tokens = {}
        for token in range(self.size):
            if lib.llama_vocab_get_attr(self.pointer, token) & lib.LLAMA_TOKEN_ATTR_CONTROL:
                tokens[lib.llama_vocab_get_text(self.pointer, token).decode(errors="replace")] = token
        return tokens

    def split_controls(self, text: str) -> list[str | int]:
        """Cut a text at the names of control tokens, which become their ids."""
        return [self.control_tokens.get(part, part) for part in self._control_pattern.split(text) if part]

    @cached_property
    def _control_pattern(self) -> "re.Pattern[str]":
        names = sorted(filter(None, self.control_tokens), key=len, reverse=True)
        return re.compile("(" + ("|".join(map(re.escape, names)) or r"(?!)") + ")")

    def _tokenize(self, text: bytes, add_special: bool, parse_special: bool) -> list[int]:
        # No tokenizer makes more tokens than bytes, but for the special ones it adds itself.
        capacity = len(text) + 8
        tokens = np.empty(capacity, np.int32)
        pointer = tokens.ctypes.data_as(lib.llama_token_p)
        count = lib.llama_tokenize(self.pointer, text, len(text), pointer, capacity, add_special, parse_special)
        return tokens[:count].tolist()

    def _token_to_piece(self, token: int) -> bytes:
        size = lib.llama_token_to_piece(self.pointer, token, self._buffer, len(self._buffer), 0, False)
        if size < 0:  # the piece is longer than the buffer: -size bytes
            self._buffer = ctypes.create_string_buffer(-size)
            return self._token_to_piece(token)
        return self._buffer.raw[:size]
