"""Models with random weights, as llama.cpp sees them."""

from random import Random

import pytest

from inference.bench.random_model import SHAPES, Shape, random_model, write_model
from inference.bench.random_vocabulary import build_vocabulary
from inference.bench.words import sentence, source
from inference.engine.config import EngineConfig
from inference.engine.llama import Llama
from registry.gguf import read_metadata

TINY = Shape(layers=1, width=64, hidden=64, heads=2, kv_heads=1, head_width=32, vocabulary=6000)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(path, TINY, "tiny")
    return path


@pytest.fixture(scope="module")
def vocabulary(path):
    llama = Llama(EngineConfig(str(path), n_ctx=128, n_seq_max=1))
    yield llama.vocabulary
    llama.close()


def test_it_has_the_vocabulary_that_was_asked_for(vocabulary):
    assert vocabulary.size == TINY.vocabulary
    assert vocabulary.is_end(vocabulary.tokenize("<|im_end|>")[0])


def test_a_word_of_a_prompt_is_a_token(vocabulary):
    words = 300
    assert words <= len(vocabulary.tokenize(sentence(source(1), words))) <= words * 1.1


def test_answers_come_back_as_the_tokens_that_they_were(vocabulary):
    first_word = 256
    random = Random(1)
    same = 0
    for _ in range(100):
        tokens = [random.randrange(first_word, TINY.vocabulary - 200) for _ in range(50)]
        same += vocabulary.tokenize(vocabulary.detokenize(tokens).decode()) == tokens
    assert same == 100


def test_any_text_can_be_written(vocabulary):
    text = "Zoë said: “naïve”, 42 times!\n\tПривет 🙂"
    assert b"".join(map(vocabulary.piece, vocabulary.tokenize(text))).decode() == text


def test_it_can_be_served(path):
    metadata = read_metadata(path)
    assert (metadata.architecture, metadata.quantization) == ("qwen3", "Q8_0")
    assert "<|im_start|>" in metadata.chat_template


def test_the_same_shape_gives_the_same_file(path, tmp_path):
    write_model(tmp_path / "again.gguf", TINY, "tiny")
    assert (tmp_path / "again.gguf").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [100, 10**7])
def test_a_vocabulary_that_cannot_be_made_is_refused(size):
    with pytest.raises(ValueError, match=f"no vocabulary of {size} tokens"):
        build_vocabulary(size)


def test_the_file_is_removed_unless_it_is_kept(tmp_path, monkeypatch):
    monkeypatch.setitem(SHAPES, "0.15b", TINY)
    with random_model("0.15b", keep=False, folder=tmp_path) as path:
        assert path.exists()
    assert not path.exists()
    with random_model("0.15b", keep=True, folder=tmp_path) as path:
        written = path.stat().st_mtime_ns
    with random_model("0.15b", keep=False, folder=tmp_path) as path:
        assert path.stat().st_mtime_ns == written
    assert list(tmp_path.iterdir()) == [path]
