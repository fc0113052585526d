"""DraftModel: the demo model drafts for itself, so that every draft must be right."""

from types import SimpleNamespace

import pytest
from gguf import GGUFValueType
from gguf.scripts.gguf_new_metadata import MetadataDetails

from inference.engine.backend import DecodeError
from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.draft_model import DraftModel, check_vocabulary
from inference.engine.llama import Llama, ModelLoadError
from tests import pooling_models
from tests.engine.recurrent_model import write_mamba
from tests.gguf_files import copy_gguf, write_marked_gguf
from tests.live_server import DEMO

CONFIG = EngineConfig(str(DEMO), n_ctx=512, n_seq_max=3)
QUESTIONS = ["Count to 30.", "What is the capital of Italy?", "Repeat: cat dog bird"]
SURE = 0.0  # no draft is stopped for being unlikely


@pytest.fixture(scope="module")
def target():
    llama = Llama(CONFIG)
    yield llama
    llama.close()


@pytest.fixture
def draft_model(target):
    model = DraftModel(Llama(CONFIG), CONFIG, target.vocabulary.size, SURE)
    yield model
    model.close()


@pytest.fixture(scope="module")
def prompts(target):
    return [
        target.vocabulary.tokenize(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n")
        for question in QUESTIONS
    ]


@pytest.fixture(scope="module")
def answers(target, prompts):
    return [greedy(target, prompt, 40) for prompt in prompts]


def greedy(llama: Llama, prompt: list[int], count: int) -> list[int]:
    """Return what the model says next, computed token by token, up to its end."""
    llama.truncate(0, 0)
    batch, tokens = Batch(512), list(prompt)
    start = 0
    while len(tokens) < len(prompt) + count and not llama.vocabulary.is_end(tokens[-1] if start else prompt[0]):
        batch.clear()
        row = batch.add(tokens[start:], start, 0, want_logits=True)
        llama.decode(batch)
        start = len(tokens)
        tokens.append(int(llama.logits(row).argmax()))
    return tokens[len(prompt) :]


def test_a_draft_is_what_the_model_says_next(draft_model, prompts, answers):
    assert draft_model.propose_many([(0, prompts[0], 8)]) == [answers[0][:8]]


def test_several_slots_are_drafted_for_at_once(draft_model, prompts, answers):
    items = [(2, prompts[0], 6), (0, prompts[1], 3), (1, prompts[2], 8)]
    assert draft_model.propose_many(items) == [answers[0][:6], answers[1][:3], answers[2][:8]]


def test_a_draft_ends_with_the_answer(draft_model, prompts, answers):
    [draft] = draft_model.propose_many([(0, prompts[1], 40)])
    assert draft == answers[1]
    assert len(draft) < 40


def test_drafts_go_on_from_what_was_accepted(draft_model, prompts, answers):
    tokens = list(prompts[0])
    while len(tokens) < len(prompts[0]) + 30:
        position = len(tokens) - len(prompts[0])
        assert draft_model.propose_many([(1, tokens, 4)]) == [answers[0][position : position + 4]]
        tokens += answers[0][position : position + 5]


def test_it_is_in_step_again_after_a_refused_draft(draft_model, target, prompts):
    draft_model.propose_many([(0, prompts[0], 8)])
    other = [*prompts[0], *target.vocabulary.tokenize("20, 21,")]
    assert draft_model.propose_many([(0, other, 8)]) == [greedy(target, other, 8)]


def test_a_slot_may_get_another_sequence(draft_model, prompts, answers):
    draft_model.propose_many([(0, prompts[0], 8), (1, prompts[1], 8)])
    assert draft_model.propose_many([(0, prompts[1], 3), (1, prompts[2], 3)]) == [answers[1][:3], answers[2][:3]]


def test_nothing_is_drafted_where_nothing_is_asked_for(draft_model, prompts, answers):
    assert draft_model.propose_many([]) == []
    assert draft_model.propose_many([(0, prompts[0], 0), (1, prompts[1], 2)]) == [[], answers[1][:2]]


def test_a_long_prompt_is_taken_in_over_several_calls(target, prompts, answers):
    model = DraftModel(Llama(CONFIG), CONFIG, target.vocabulary.size, SURE, prefill_budget=40)
    long = prompts[1] * 8
    assert 100 < len(long) < 200
    model.propose_many([(0, prompts[0], 4)])
    drafts = [model.propose_many([(0, prompts[0], 4), (2, long, 4)]) for _ in range(6)]
    model.close()
    assert {tuple(first) for first, _ in drafts} == {tuple(answers[0][:4])}
    ready = [bool(second) for _, second in drafts]
    assert not ready[2]
    assert ready == sorted(ready)
    assert drafts[-1][1] == greedy(target, long, 4)


def test_a_draft_stops_where_the_model_is_not_sure(target, prompts):
    model = DraftModel(Llama(CONFIG), CONFIG, target.vocabulary.size, least_chance=1.1)
    assert model.propose_many([(0, prompts[0], 4)]) == [[]]
    model.close()


def test_tokens_that_the_other_model_lacks_are_not_drafted(prompts):
    model = DraftModel(Llama(CONFIG), CONFIG, num_tokens=1, least_chance=SURE)
    assert model.propose_many([(0, prompts[0], 4)]) == [[]]
    model.close()


def test_no_draft_goes_beyond_the_context(target):
    config = EngineConfig(str(DEMO), n_ctx=256, n_seq_max=1)
    model = DraftModel(Llama(config), config, target.vocabulary.size, SURE)
    tokens = [target.vocabulary.tokenize("a")[0]] * 254
    assert len(model.propose_many([(0, tokens, 8)])[0]) <= 2
    assert model.propose_many([(0, [*tokens, tokens[0], tokens[0]], 8)]) == [[]]
    model.close()


class Faulty(Llama):
    """Fails as often as it is told to, and forgets no slot but as a whole."""

    num_failures = 0

    def decode(self, batch: Batch) -> None:
        if self.num_failures:
            self.num_failures -= 1
            raise DecodeError("no power")
        super().decode(batch)

    def truncate(self, slot: int, length: int) -> bool:
        return length == 0 and super().truncate(slot, length)


def test_a_failure_costs_the_draft_and_nothing_else(target, prompts, answers):
    llama = Faulty(CONFIG)
    model = DraftModel(llama, CONFIG, target.vocabulary.size, SURE)
    model.propose_many([(0, prompts[1], 2)])
    llama.num_failures = 1
    assert model.propose_many([(0, prompts[0], 4), (1, prompts[1], 4)]) == [[], []]
    assert model.propose_many([(0, prompts[0], 4), (1, prompts[1], 4)]) == [answers[0][:4], answers[1][:4]]
    model.close()


def test_what_cannot_be_cut_off_is_computed_again(target, prompts, answers):
    model = DraftModel(Faulty(CONFIG), CONFIG, target.vocabulary.size, SURE)
    model.propose_many([(0, [*prompts[0], *prompts[1]], 4)])
    assert model.propose_many([(0, prompts[0], 4)]) == [answers[0][:4]]
    model.close()


def test_a_fitting_model_is_loaded(target, prompts, answers):
    model = DraftModel.load(str(DEMO), CONFIG, target.vocabulary)
    [draft] = model.propose_many([(0, prompts[0], 8)])
    model.close()
    assert draft
    assert answers[0][: len(draft)] == draft


def load(path, target):
    DraftModel.load(str(path), CONFIG, target.vocabulary).close()


def test_a_recurrent_model_is_refused(tmp_path, target):
    with pytest.raises(ModelLoadError, match=r"mamba\.gguf cannot be a draft model: its layers are recurrent"):
        load(write_mamba(tmp_path / "mamba.gguf"), target)


def test_a_vocabulary_of_another_type_is_refused(tmp_path, target):
    llama = Llama(EngineConfig(str(pooling_models.write_bert(tmp_path / "bert.gguf")), n_ctx=256, n_seq_max=1))
    with pytest.raises(ModelLoadError, match="tokenizers are of different types"):
        check_vocabulary(target.vocabulary, llama.vocabulary)
    llama.close()


def test_another_first_token_is_refused(tmp_path, target):
    metadata = {"tokenizer.ggml.add_bos_token": MetadataDetails(GGUFValueType.BOOL, True)}
    with pytest.raises(ModelLoadError, match=r"its tokenizer adds token 1017 as BOS, this model's nothing"):
        load(copy_gguf(DEMO, tmp_path / "bos.gguf", metadata), target)


def test_another_token_is_refused(tmp_path, target):
    with pytest.raises(ModelLoadError, match=r'token \d+ is "<think>", this model\'s is ".+"'):
        load(write_marked_gguf(DEMO, tmp_path / "marked.gguf", ["<think>"]), target)


def test_another_last_token_is_refused(tmp_path, target):
    metadata = {"tokenizer.ggml.add_eos_token": MetadataDetails(GGUFValueType.BOOL, True)}
    with pytest.raises(ModelLoadError, match="its tokenizer adds token 1019 as EOS, this model's nothing"):
        load(copy_gguf(DEMO, tmp_path / "eos.gguf", metadata), target)


def test_a_vocabulary_of_another_size_is_refused_unless_it_is_padding(target):
    pointer, size = target.vocabulary.pointer, target.vocabulary.size
    check_vocabulary(target.vocabulary, SimpleNamespace(pointer=pointer, size=size - 128))
    with pytest.raises(
        ModelLoadError, match=r"its vocabulary has 895 tokens, this model's 1024 \(they may differ by 128"
    ):
        check_vocabulary(target.vocabulary, SimpleNamespace(pointer=pointer, size=size - 129))
