"""The tiny models of the tests: the real llama.cpp takes each for what it should be, and together is as alone."""

from pathlib import Path

import pytest

from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.llama import Llama
from inference.engine.messages import GenerateRequest, SamplingParams
from registry.gguf import read_metadata
from tests import tiny_models
from tests.engine.fake_llama import run

# recurrent, hybrid, sliding window
MEMORY = {
    "attention": (False, False, 0),
    "window": (False, False, tiny_models.WINDOW),
    "recurrent": (True, False, 0),
    "hybrid": (False, True, 0),
    "moe": (False, False, 0),
    "every-row": (False, False, 0),
}
PROMPTS = [[(7 * number + 31 * index) % 1000 for index in range(40 + 25 * number)] for number in range(4)]


@pytest.fixture(scope="module", params=tiny_models.KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def config(tiny_model, kind):
    return EngineConfig(str(tiny_model(kind)), n_ctx=512, n_batch=64, prefill_chunk=16)


@pytest.fixture(scope="module")
def llama(config):
    llama = Llama(config)
    yield llama
    llama.close()


@pytest.fixture
def answer(config, llama):
    """Answers prompts all at once with an empty cache; the answers are the spellings of their tokens."""

    def answer(*prompts: list[int]) -> list[list[bytes]]:
        for slot in range(config.n_seq_max):
            llama.truncate(slot, 0)
        core = EngineCore(config, llama)
        sampling = SamplingParams(temperature=0, max_tokens=30, ignore_eos=True, logprobs=0)
        for number, prompt in enumerate(prompts):
            assert core.add_request(GenerateRequest(str(number), tuple(prompt), sampling)) is None
        outputs = run(core)
        return [
            [token.piece for output in outputs if output.request_id == str(number) for token in output.logprobs]
            for number in range(len(prompts))
        ]

    return answer


def test_it_has_the_memory_of_its_kind(llama, kind):
    flags = lib.llama_model_is_recurrent(llama._model), lib.llama_model_is_hybrid(llama._model)
    assert (*flags, lib.llama_model_n_swa(llama._model)) == MEMORY[kind]


def test_it_can_be_registered(config):
    assert read_metadata(Path(config.model_path)).kind == "chat"


def test_together_as_alone(answer):
    alone = [answer(prompt)[0] for prompt in PROMPTS]
    assert answer(*PROMPTS) == alone
    assert all(len(tokens) == 30 for tokens in alone)


def test_a_scored_prompt_tells_what_generating_it_told(config, llama, answer):
    """The logits belong to their rows: which ones are asked for makes no difference."""
    said = answer(PROMPTS[0])[0]
    ids = {llama.vocabulary.spelling(token): token for token in range(llama.vocabulary.size)}
    core = EngineCore(config, llama)
    tokens = (*PROMPTS[0], *(ids[piece] for piece in said))
    core.add_request(GenerateRequest("scored", tokens, SamplingParams(max_tokens=1), prompt_logprobs=1))
    scored = run(core)[0].prompt_logprobs
    assert [token.top[0][0] for token in scored[-len(said) :]] == said


def test_the_first_token_changes_the_answer(answer):
    prompt = PROMPTS[3]
    assert answer(prompt) != answer([(prompt[0] + 1) % 1000, *prompt[1:]])
