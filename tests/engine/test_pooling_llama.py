"""PoolingLlama: the real llama.cpp on tiny models."""

import numpy as np
import pytest
from gguf import PoolingType

from inference.engine.config import EngineConfig
from inference.engine.embedder import Embedder
from inference.engine.llama import ModelLoadError
from inference.engine.messages import EmbedRequest
from inference.engine.pooling_llama import PoolingLlama
from registry.model_kinds import UNSPECIFIED
from tests import pooling_models
from tests.engine.test_embedder import run

BOS, SEP = 2, 3  # of the tiny BERT


@pytest.fixture
def load():
    """Load a file; it is freed afterwards."""
    loaded = []

    def load(path, kind="embedding", **settings):
        loaded.append(PoolingLlama(EngineConfig(str(path), **{"n_ctx": 600, "n_seq_max": 8, **settings}, kind=kind)))
        return loaded[-1]

    yield load
    for llama in loaded:
        llama.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def vectors(llama, *inputs):
    embedder = Embedder(EngineConfig("", n_ctx=600, n_seq_max=8), llama)
    assert embedder.add_request(EmbedRequest("r", inputs)) is None
    return np.frombuffer(run(embedder)[0].value.vectors, "<f4").reshape(len(inputs), -1)


def test_an_encoder_computes_a_text_at_once(load, folder):
    llama = load(pooling_models.write_bert(folder / "bert.gguf"))
    assert (llama.can_split, llama.max_tokens, llama.n_embd) == (False, 600, 32)


def test_a_causal_model_that_pools_the_last_token_may_split_it(load, folder):
    llama = load(pooling_models.write_causal_embedder(folder / "causal.gguf"), n_ctx=4096)
    assert (llama.can_split, llama.max_tokens) == (True, 2048)


def test_without_a_pooling_type_it_is_the_mean(load, folder):
    unnamed = load(pooling_models.write_bert(folder / "none.gguf", pooling=None))
    mean = load(pooling_models.write_bert(folder / "mean.gguf"))
    saved = load(pooling_models.write_bert(folder / "saved.gguf", pooling=UNSPECIFIED))
    first = load(pooling_models.write_bert(folder / "cls.gguf", pooling=PoolingType.CLS))
    assert vectors(unnamed, "rain") == pytest.approx(vectors(mean, "rain"))
    assert vectors(saved, "rain") == pytest.approx(vectors(mean, "rain"))
    assert vectors(unnamed, "rain") != pytest.approx(vectors(first, "rain"), abs=1e-2)


@pytest.mark.parametrize("seqs", [5, 64])
def test_any_number_of_slots_will_do(load, folder, seqs):
    llama = load(pooling_models.write_bert(folder / "slots.gguf"), n_seq_max=seqs)
    assert vectors(llama, "rain " * 590).shape == (1, 32)


def test_bert_reads_query_and_document_between_separators(load, folder):
    llama = load(pooling_models.write_bert(folder / "ranker.gguf", None, has_head=True), "rerank")
    rain, paris = (llama.vocabulary.tokenize(text) for text in ("rain", "paris"))
    assert llama.pair("rain", "paris") == [BOS, *rain, SEP, *paris, SEP]


def test_special_tokens_in_a_document_are_plain_text(load, folder):
    llama = load(pooling_models.write_bert(folder / "plain.gguf", None, has_head=True), "rerank")
    assert llama.pair("rain", "[SEP]").count(SEP) == 2


def test_a_rerank_template_is_filled_once(load, folder):
    llama = load(pooling_models.write_yes_no_reranker(folder / "yes.gguf"), "rerank")
    text = b"".join(map(llama.vocabulary.piece, llama.pair("{document}", "rain {query}"))).decode()
    assert "<Query>: {document}\n<Document>: rain {query}" in text


def test_a_missing_file_is_a_load_error(tmp_path):
    with pytest.raises(ModelLoadError, match=r"nothing\.gguf"):
        PoolingLlama(EngineConfig(str(tmp_path / "nothing.gguf"), n_ctx=512, kind="embedding"))


def test_runtime_settings_reach_its_context(load, folder):
    path = pooling_models.write_causal_embedder(folder / "causal-settings.gguf")
    plain = vectors(load(path), "Hello, Berlin!")
    settings = {"kv_type_k": "q8_0", "kv_type_v": "q8_0", "n_threads": 1, "n_threads_batch": 2, "n_batch": 64}
    llama = load(path, **settings)
    info = llama.info(0)
    assert (info.n_threads, info.n_threads_batch, info.n_batch) == (1, 2, 64)
    assert (info.kind, info.host_cache_bytes, info.kv_bytes) == ("embedding", 0, None)
    assert float(plain[0] @ vectors(llama, "Hello, Berlin!")[0]) > 0.99
