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
from tests.engine.asking import ask
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
    return EngineConfig(str(tiny_model(kind)), n_ctx=512, n_batch=64)


@pytest.fixture(scope="module")
def llama(config):
    llama = Llama(config)
    yield llama
    llama.close()


@pytest.fixture
def new_core(config, llama):
    """Makes a core with an empty cache."""

    def new_core() -> EngineCore:
        for slot in range(config.n_seq_max):
            llama.truncate(slot, 0)
        return EngineCore(config, llama)

    return new_core


def test_it_has_the_memory_of_its_kind(llama, kind):
    flags = lib.llama_model_is_recurrent(llama._model), lib.llama_model_is_hybrid(llama._model)
    assert (*flags, lib.llama_model_n_swa(llama._model)) == MEMORY[kind]


def test_it_can_be_registered(config):
    assert read_metadata(Path(config.model_path)).kind == "chat"


def test_together_as_alone(new_core):
    alone = [ask(new_core(), prompt)[0] for prompt in PROMPTS]
    assert ask(new_core(), *PROMPTS) == alone
    assert all(len(tokens) == 30 for tokens in alone)


def test_going_back_is_as_starting_over(new_core):
    """What a window has left behind and what a state has forgotten must come back, or be computed again."""
    long = [(5 * number) % 1000 for number in range(430)]
    edited = [*long[:150], *PROMPTS[1]]
    cold = ask(new_core(), edited)
    core = new_core()
    ask(core, long)
    assert ask(core, edited) == cold


def test_a_scored_prompt_tells_what_generating_it_told(new_core, llama):
    """The logits belong to their rows: which ones are asked for makes no difference."""
    said = ask(new_core(), PROMPTS[0])[0]
    ids = {llama.vocabulary.spelling(token): token for token in range(llama.vocabulary.size)}
    core, tokens = new_core(), (*PROMPTS[0], *(ids[piece] for piece in said))
    core.add_request(GenerateRequest("scored", tokens, SamplingParams(max_tokens=1), prompt_logprobs=1))
    scored = run(core)[0].prompt_logprobs
    assert [token.top[0][0] for token in scored[-len(said) :]] == said


def test_the_first_token_changes_the_answer(new_core):
    prompt = PROMPTS[3]
    assert ask(new_core(), prompt) != ask(new_core(), [(prompt[0] + 1) % 1000, *prompt[1:]])
