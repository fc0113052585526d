"""The byte-level BPE tokenizer: trained on the dialogues, split as llama.cpp's "qwen2" does."""

import itertools
from collections.abc import Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from demo.dialogues import dialogues
from demo.render import END, render

VOCABULARY = 1024
CONTROL = ("<|endoftext|>", "<|im_start|>", END)
VISIBLE = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
# The very expression of llama.cpp's LLAMA_VOCAB_PRE_TYPE_QWEN2: single digits, a leading sign joins a word.
SPLIT = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def corpus(seed: int, count: int) -> Iterator[str]:
    """Yield the rendered text of dialogues with long parts kept short, so that answers prevail."""
    for made in itertools.islice(dialogues(seed, 700), count):
        yield render(made.messages, made.schemas(), answer=False)


def train_tokenizer(seed: int = 1, count: int = 30_000) -> Tokenizer:
    """Return a tokenizer of `VOCABULARY` tokens, the special ones at the end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(CONTROL) - len(VISIBLE),
        # llama-cpp-python reads a token's text into 32 bytes and drops what is longer.
        max_token_length=30,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(_without_specials, corpus(seed, count)), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROL])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in VISIBLE])
    return tokenizer


def _without_specials(text: str) -> str:
    for token in CONTROL + VISIBLE:
        text = text.replace(token, "\n")
    return text
