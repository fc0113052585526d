"""What a file is for, by its metadata and tensors."""

import numpy as np
import pytest

from registry.gguf import GGUFError, read_metadata
from registry.gguf_header import StringArray
from registry.model_kinds import DIFFUSERS, ENCODERS, UNSPECIFIED, Kind, kind_of
from tests.gguf_files import write_gguf

HEAD = {"token_embd.weight", "cls.output.weight"}


def kind(architecture, pooling=None, tensors=(), **fields):
    keys = {f"{architecture}.{name.replace('__', '.')}": value for name, value in fields.items()}
    if pooling is not None:
        keys[f"{architecture}.pooling_type"] = pooling
    return kind_of(architecture, keys, tensors)


def refusal(*arguments, **fields):
    with pytest.raises(GGUFError) as caught:
        kind(*arguments, **fields)
    return str(caught.value)


@pytest.mark.parametrize("architecture", sorted(ENCODERS))
def test_an_encoder_makes_embeddings_even_if_it_does_not_say_how_it_pools(architecture):
    assert kind(architecture) == kind(architecture, 1) == kind(architecture, 2) == Kind.EMBEDDING


@pytest.mark.parametrize(
    ("pooling", "expected"), [(None, "chat"), (UNSPECIFIED, "chat"), (0, "chat"), (1, "embedding"), (3, "embedding")]
)
def test_other_architectures_make_embeddings_if_they_pool(pooling, expected):
    assert kind("qwen3", pooling) == expected


@pytest.mark.parametrize(
    ("architecture", "pooling", "tensors"),
    [("bert", None, HEAD), ("bert", 4, HEAD), ("jina-bert-v2", None, {"cls.weight"}), ("modern-bert", 0, HEAD)],
)
def test_a_head_for_ranking_makes_a_reranker(architecture, pooling, tensors):
    assert kind(architecture, pooling, tensors) == Kind.RERANK


def test_qwens_rerankers_tell_yes_from_no():
    labels = {"classifier__output_labels": StringArray(0, 2)}
    assert kind("qwen3", 4, HEAD, **labels) == Kind.RERANK
    assert "tells 1 classes apart, where a ranking one has 2" in refusal("qwen3", 4, HEAD)


@pytest.mark.parametrize("architecture", sorted(DIFFUSERS))
def test_a_diffusion_model_chats_though_it_is_not_causal(architecture):
    assert kind(architecture, attention__causal=False) == Kind.CHAT


def test_a_classifier_is_no_reranker():
    labels = {"classifier__output_labels": StringArray(0, 3)}
    assert "tells 3 classes apart, where a ranking one has 1" in refusal("bert", None, HEAD, **labels)


def test_a_model_that_pools_is_no_reranker_for_having_a_head():
    assert kind("bert", 1, HEAD) == Kind.EMBEDDING


def test_a_reranker_without_its_head_is_refused_with_the_cure():
    message = refusal("qwen3", 4)
    assert "the tensor cls.output.weight that scores them is missing" in message
    assert "convert the model again" in message


def test_a_reranker_whose_head_llama_cpp_does_not_read_is_refused():
    assert "cannot compute with this architecture" in refusal("llama", 4, HEAD)


@pytest.mark.parametrize(
    ("architecture", "pooling", "fields", "tensors"),
    [("bert", 0, {}, ()), ("lfm2", None, {}, {"dense_2.weight"}), ("qwen2", None, {"attention__causal": False}, ())],
)
def test_vectors_for_each_token_are_refused(architecture, pooling, fields, tensors):
    assert "a vector for each token" in refusal(architecture, pooling, tensors, **fields)


@pytest.mark.parametrize("pooling", [5, 4294967294, "mean"])
def test_an_unknown_pooling_type_is_refused(pooling):
    assert f"pooling type {pooling!r} is none" in refusal("bert", pooling)


def test_the_file_tells_its_kind_and_the_length_of_its_vectors(tmp_path):
    def fill(writer):
        writer.add_embedding_length(32)

    metadata = read_metadata(write_gguf(tmp_path / "bert.gguf", "bert", fill=fill))
    assert (metadata.kind, metadata.embedding_length) == (Kind.EMBEDDING, 32)


def test_the_length_of_a_projection_wins(tmp_path):
    def fill(writer):
        writer.add_embedding_length(32)
        writer.add_embedding_length_out(8)

    assert read_metadata(write_gguf(tmp_path / "bert.gguf", "bert", fill=fill)).embedding_length == 8


def test_the_tensors_of_the_file_count(tmp_path):
    def fill(writer):
        writer.add_tensor("cls.output.weight", np.zeros((1, 32), np.float32))

    assert read_metadata(write_gguf(tmp_path / "bert.gguf", "bert", fill=fill)).kind == Kind.RERANK
