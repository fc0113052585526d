"""Vocabulary: the real llama.cpp on the demo model, and on a copy with tokens for BOS and filling in the middle."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gguf import TokenType

from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.llama import Llama
from inference.engine.messages import InvalidParameter
from inference.engine.vocabulary import PIECE_LENGTH, Vocabulary
from tests.gguf_files import write_gguf, write_infill_gguf
from tests.live_server import DEMO
from tests.pooling_models import write_bert

BOS, PREFIX, SUFFIX, MIDDLE = 1017, 1020, 1021, 1022


@contextmanager
def vocabulary_of(path: Path) -> Iterator[Vocabulary]:
    """Load a file's vocabulary without its weights."""
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    yield Vocabulary(model)
    lib.llama_model_free(model)


@pytest.fixture(scope="module")
def demo():
    llama = Llama(EngineConfig(str(DEMO), n_ctx=256))
    yield llama.vocabulary
    llama.close()


@pytest.fixture(scope="module")
def infill(tmp_path_factory):
    path = write_infill_gguf(DEMO, tmp_path_factory.mktemp("model") / "infill.gguf", PREFIX, SUFFIX, MIDDLE)
    llama = Llama(EngineConfig(str(path), n_ctx=256))
    yield llama.vocabulary
    llama.close()


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A vocabulary that puts a token before and one behind every text."""
    with vocabulary_of(write_bert(tmp_path_factory.mktemp("bert") / "bert.gguf")) as vocabulary:
        yield vocabulary


def test_a_prepared_vocabulary_walks_through_its_tokens_no_more(monkeypatch):
    with vocabulary_of(DEMO) as vocabulary:
        vocabulary.prepare()
        monkeypatch.setattr(lib, "llama_vocab_get_attr", None)
        monkeypatch.setattr(vocabulary, "is_end", None)
        assert vocabulary.end_tokens
        assert len(vocabulary.tokenize("word <|im_end|>" * PIECE_LENGTH)) > PIECE_LENGTH


@pytest.fixture
def sentencepiece(tmp_path):
    """A vocabulary that puts a space before every text."""
    special = ("<s>", "</s>", "<unk>")
    tokens = (*special, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁a", "a", "b", ".")

    def fill(writer):
        writer.add_tokenizer_model("llama")
        types = [TokenType.CONTROL] * 2 + [TokenType.UNKNOWN] + [TokenType.BYTE] * 256 + [TokenType.NORMAL] * 5
        writer.add_token_types(types)
        writer.add_unk_token_id(2)

    with vocabulary_of(write_gguf(tmp_path / "vocabulary.gguf", tokens=tokens, fill=fill)) as vocabulary:
        yield vocabulary


@pytest.mark.parametrize("text", ["", "a", " a", "a .", "b🙂"])
def test_the_space_that_sentencepiece_adds_is_taken_away_again(sentencepiece, text):
    tokens = sentencepiece.tokenize(text, add_special=False)
    assert sentencepiece.detokenize(tokens).decode() == text
    assert b"".join(map(sentencepiece.piece, tokens)).decode() == (f" {text}" if text else "")


@pytest.mark.parametrize(
    "text", ["", "Hello, Привет, 🙂 <tool_call>!", " two  spaces\n", "<|im_end|>", "a\0b", "a .  , ?"]
)
def test_a_text_comes_back_from_its_tokens(demo, text):
    for parse_special in (True, False):
        assert demo.detokenize(demo.tokenize(text, parse_special=parse_special)).decode() == text


def test_a_bos_token_is_added_once_where_the_model_wants_one(demo, infill):
    assert infill.tokenize("a", add_special=True) == [BOS, *demo.tokenize("a")]
    assert infill.tokenize("<|endoftext|>a", add_special=True) == [BOS, *demo.tokenize("a")]
    assert infill.tokenize("a") == demo.tokenize("a")
    assert infill.prompt_tokens((64,)) == [64]


def test_a_gap_stands_between_its_tokens(demo, infill):
    expected = [BOS, PREFIX, *demo.tokenize("ab"), SUFFIX, *demo.tokenize("cd"), MIDDLE]
    assert infill.prompt_tokens("ab", "cd") == expected
    assert infill.prompt_tokens(tuple(demo.tokenize("ab")), "cd") == expected
    assert infill.prompt_tokens("", "") == [BOS, PREFIX, SUFFIX, MIDDLE]


def test_around_a_gap_special_tokens_are_text(infill):
    assert infill.prompt_tokens("<|im_end|>", "x").count(infill.tokenize("<|im_end|>")[-1]) == 0


def test_a_model_without_the_tokens_cannot_fill_in(demo):
    with pytest.raises(InvalidParameter) as caught:
        demo.prompt_tokens("ab", "cd")
    assert caught.value.param == "suffix"


@pytest.mark.parametrize("token", [-1, 1024, 2**40])
def test_a_token_that_the_vocabulary_lacks_is_refused(demo, token):
    with pytest.raises(InvalidParameter, match=f"from 0 to 1023, got {token}") as caught:
        demo.prompt_tokens((0, token))
    assert caught.value.param == "prompt"
    with pytest.raises(InvalidParameter):
        demo.detokenize((0, token))


def seamed(vocabulary: Vocabulary, text: str, **options: bool) -> tuple[list[int], list[int]]:
    """The tokens of a long text as a whole and in pieces."""
    options = {"add_special": True, "parse_special": True, **options}
    assert len(list(vocabulary.pieces(text, options["parse_special"]))) > 1
    return vocabulary._tokenize(text, *options.values()), vocabulary.tokenize(text, **options)


LONG = "Hello, Привет 🙂!\n  <|im_end|>\n<|im_start|>user\n<|im_end|><|im_e  " * 500


def test_a_long_text_has_the_tokens_of_its_pieces(demo, infill):
    for vocabulary in (demo, infill):
        whole, pieces = seamed(vocabulary, LONG)
        assert pieces == whole


def test_what_stands_before_and_behind_a_text_stands_there_once(bert, sentencepiece):
    for vocabulary, text in ((bert, "[SEP] [MASK] a b " * 900), (sentencepiece, "a </s> b<s>  a. " * 900)):
        whole, pieces = seamed(vocabulary, text)
        assert pieces == whole
    assert len(bert.tokenize("", add_special=True)) == 2


def test_plain_text_is_not_cut_at_control_tokens(demo):
    assert list(demo.pieces(LONG, parse_special=False)) == [LONG]


def test_no_piece_holds_many_special_tokens(demo):
    """For llama.cpp's time for a piece grows with the square of their number."""
    pieces = list(demo.pieces("<|im_end|>" * 40_000))
    assert max(map(len, pieces)) <= PIECE_LENGTH + len("<|im_end|>")
    assert "".join(pieces) == "<|im_end|>" * 40_000


def test_for_short_texts_nobody_looks_through_the_vocabulary(sentencepiece):
    """It takes a tenth of a second and more, which the first request of each model would wait for."""
    sentencepiece.tokenize("a" * PIECE_LENGTH)
    assert "_seams" not in vars(sentencepiece)
    sentencepiece.tokenize("a" * (PIECE_LENGTH + 1))
    assert "_seams" in vars(sentencepiece)
