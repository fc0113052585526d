"""Embedder: whose turn it is, what fits into a batch, and how requests end early; on a llama.cpp of letters."""

import numpy as np
import pytest

from inference.engine.backend import DecodeError
from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.embedder import Embedder
from inference.engine.messages import EmbedRequest, FailureCode, Output, RerankRequest


class FakePoolingLlama:
    """A text's vector is its length and the code of its last letter."""

    size = 200  # of the vocabulary
    n_embd = 2

    def __init__(self, max_tokens: int, can_split: bool) -> None:
        self.vocabulary = self
        self.max_tokens = max_tokens
        self.can_split = can_split
        self.cells: dict[int, list[int]] = {}
        self.batches: list[list[str]] = []
        self.fails = False

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = True) -> list[int]:
        return [ord(char) for char in text]

    def pair(self, query: str, document: str) -> list[int]:
        return self.tokenize(f"{query}|{document}")

    def decode(self, batch: Batch) -> None:
        if self.fails:
            raise DecodeError("no power")
        assert batch.logits[: batch.num_tokens].all(), "llama.cpp pools over marked rows only"
        texts: dict[int, str] = {}
        for row in range(batch.num_tokens):
            slot, token = int(batch.seq_id[row]), int(batch.token[row])
            cells = self.cells.setdefault(slot, [])
            assert batch.pos[row] == len(cells), "positions must follow on the slot's cells"
            cells.append(token)
            texts[slot] = texts.get(slot, "") + chr(token)
        self.batches.append(list(texts.values()))

    def vector(self, slot: int) -> np.ndarray:
        return np.array([len(self.cells[slot]), self.cells[slot][-1]], np.float32)

    def relevance(self, slot: int) -> float:
        return 1 / len(self.cells[slot])

    def clear(self, slot: int) -> None:
        self.cells.pop(slot, None)


def new_embedder(can_split: bool = True, slots: int = 9, n_batch: int = 4) -> tuple[Embedder, FakePoolingLlama]:
    llama = FakePoolingLlama(20, can_split)
    config = EngineConfig("fake.gguf", n_ctx=20, n_seq_max=slots, n_batch=n_batch, kind="embedding")
    return Embedder(config, llama), llama


def embed(name: str, *inputs: str, dimensions: int | None = None) -> EmbedRequest:
    return EmbedRequest(name, inputs, dimensions)


def run(embedder: Embedder) -> list[Output]:
    outputs = []
    while embedder.has_work:
        outputs += embedder.step()
    return outputs


def finished(outputs: list[Output]) -> list[str]:
    return [output.request_id for output in outputs]


def directions(output: Output) -> list[float]:
    """Return the lengths of the texts again, whose vectors were scaled to length 1."""
    rows = np.frombuffer(output.value.vectors, "<f4").reshape(-1, 2)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    return [round(float(row[0] / row[1] * ord("a"))) for row in rows]


def test_one_request_is_answered_in_order():
    embedder, llama = new_embedder()
    assert embedder.add_request(embed("p", "a", "aaa", "aa")) is None
    [output] = run(embedder)
    assert directions(output) == [1, 3, 2]
    assert (output.value.dimensions, output.value.prompt_tokens) == (2, 6)
    assert llama.cells == {}


def test_requests_take_turns_and_share_batches():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "a", "b", "c", "d", "e"))
    embedder.add_request(embed("q", "x"))
    assert finished(embedder.step()) == ["q"]
    assert llama.batches == [["a", "x", "b", "c"]]
    assert finished(embedder.step()) == ["p"]


def test_what_does_not_fit_begins_the_next_batch():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "aaa", "a"))
    embedder.add_request(embed("q", "xx"))
    run(embedder)
    assert llama.batches == [["aaa"], ["xx", "a"]]


def test_a_batch_has_no_more_sequences_than_slots():
    embedder, llama = new_embedder(slots=3)
    embedder.add_request(embed("p", "a", "b", "c"))
    run(embedder)
    assert llama.batches == [["a", "b"], ["c"]]


def test_a_long_input_is_split_and_lets_others_in():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "aaaaaaaaaa"))
    embedder.add_request(embed("q", "x", "y"))
    outputs = run(embedder)
    assert llama.batches == [["aaaa"], ["x", "aaa"], ["y", "aaa"]]
    assert {output.request_id: len(directions(output)) for output in outputs} == {"p": 1, "q": 2}
    assert llama.cells == {}


def test_one_long_input_is_computed_at_a_time():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "aaaaaa"))
    embedder.add_request(embed("q", "bbbbb"))
    embedder.add_request(embed("r", "x"))
    run(embedder)
    assert llama.batches == [["aaaa"], ["x", "aa"], ["bbbb"], ["b"]]


def test_a_long_input_that_cannot_be_split_has_a_batch_of_its_own():
    embedder, llama = new_embedder(can_split=False)
    embedder.add_request(embed("p", "a", "bbbbbbbb", "c"))
    embedder.add_request(embed("q", "x"))
    run(embedder)
    assert llama.batches == [["a", "x"], ["bbbbbbbb"], ["c"]]


def test_an_aborted_request_leaves_nothing_behind():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "aaaaaaaaaa", "a"))
    embedder.step()
    assert llama.cells
    assert embedder.abort_request("p").finish_reason == "abort"
    assert embedder.abort_request("p") is None
    assert not embedder.has_work
    assert llama.cells == {}
    embedder.add_request(embed("q", "bbbbbb"))
    assert directions(run(embedder)[0])


def test_a_batch_that_fails_ends_its_requests_only():
    embedder, llama = new_embedder()
    embedder.add_request(embed("p", "aaaaaa"))
    embedder.add_request(embed("q", "x"))
    embedder.step()
    llama.fails = True
    embedder.add_request(embed("r", "yyyy"))
    outputs = embedder.step()
    assert {output.request_id: output.failure.code for output in outputs} == {
        "q": FailureCode.DECODE_FAILED,
        "p": FailureCode.DECODE_FAILED,
    }
    llama.fails = False
    assert finished(run(embedder)) == ["r"]
    assert llama.cells == {}


def test_the_stats_count_requests():
    embedder, _ = new_embedder()
    embedder.add_request(embed("p", "aaaaaaa"))
    embedder.add_request(embed("q", "x"))
    assert (embedder.stats.waiting, embedder.stats.running) == (2, 0)
    embedder.step()
    assert (embedder.stats.waiting, embedder.stats.running) == (1, 1)


def test_documents_are_scored_in_order():
    embedder, _ = new_embedder()
    embedder.add_request(RerankRequest("p", "q", ("a", "aaa")))
    [output] = run(embedder)
    assert output.value.scores == (1 / 3, 1 / 5)
    assert output.value.prompt_tokens == 8


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_a_failure_of_its_request_only(value):
    embedder, llama = new_embedder()
    llama.vector = lambda slot: np.array([value if llama.cells[slot][-1] == ord("x") else 1.0, 1.0], np.float32)
    embedder.add_request(embed("damaged", "ax"))
    embedder.add_request(embed("sound", "ab"))
    damaged, sound = sorted(run(embedder), key=lambda output: output.request_id)
    assert damaged.failure.code is FailureCode.DECODE_FAILED
    assert "no numbers" in damaged.failure.message
    assert sound.value is not None


def test_a_score_that_is_no_number_is_a_failure():
    embedder, llama = new_embedder()
    llama.relevance = lambda slot: float("nan")
    embedder.add_request(RerankRequest("r", "q", ("d",)))
    assert run(embedder)[-1].failure.code is FailureCode.DECODE_FAILED


def test_large_vectors_are_scaled_to_length_one():
    embedder, llama = new_embedder()
    llama.vector = lambda slot: np.array([3e38, 3e38], np.float32)
    embedder.add_request(embed("large", "a"))
    vector = np.frombuffer(run(embedder)[-1].value.vectors, "<f4")
    assert vector == pytest.approx([0.5**0.5, 0.5**0.5])


def test_a_vector_of_zeros_stays_one():
    embedder, llama = new_embedder()
    llama.vector = lambda slot: np.zeros(2, np.float32)
    embedder.add_request(embed("p", "a"))
    assert np.frombuffer(run(embedder)[0].value.vectors, "<f4").tolist() == [0, 0]


@pytest.mark.parametrize(
    ("request_", "param", "message"),
    [
        (embed("p", "a", "b" * 21), "input", "input 1 has 21 tokens, this model takes at most 20"),
        (embed("p", ""), "input", "input 0 has no tokens"),
        (embed("p", (3, 200)), "input", "this model's token ids go from 0 to 199, input 0 has 200"),
        (embed("p", "a", dimensions=3), "dimensions", "this model's vectors have 2 dimensions, got 3"),
        (
            RerankRequest("p", "q", ("a", "b" * 19)),
            "documents",
            "document 1 and the query have 21 tokens, this model takes at most 20",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(request_, param, message):
    embedder, _ = new_embedder()
    failure = embedder.add_request(request_).failure
    assert (failure.code, failure.param, failure.message) == (FailureCode.INVALID_PARAMETER, param, message)
    assert not embedder.has_work
