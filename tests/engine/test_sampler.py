"""SamplerChain on the real model: every parameter does what its name says."""

import numpy as np
import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.llama import Llama
from inference.engine.messages import SAMPLERS, FailureCode, GenerateRequest, SamplingParams
from inference.engine.sampler_chain import gumbel_noise
from tests.engine.fake_llama import run, text
from tests.live_server import DEMO

PROMPT = "<|im_start|>user\nCount to 9.<|im_end|>\n<|im_start|>assistant\n"
WIDE = {"temperature": 2.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "max_tokens": 40, "ignore_eos": True, "seed": 1}


@pytest.fixture(scope="module")
def llama():
    llama = Llama(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=1))
    yield llama
    llama.close()


@pytest.fixture
def generate(llama):
    def generate(prompt: str = PROMPT, **sampling: object) -> str:
        core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=1), llama)
        refused = core.add_request(GenerateRequest("r", prompt, SamplingParams(**sampling)))
        assert refused is None
        return text(run(core))

    return generate


def test_greedy_counts(generate):
    assert generate(temperature=0) == "1, 2, 3, 4, 5, 6, 7, 8, 9"


@pytest.mark.parametrize(
    "change",
    [
        {"typical_p": 0.1},
        {"top_n_sigma": 0.5},
        {"repeat_penalty": 5.0},
        {"dry_multiplier": 5.0, "dry_allowed_length": 0},
        {"mirostat": 1, "mirostat_tau": 1.0},
        {"mirostat": 2, "mirostat_tau": 1.0},
        {"top_k": 2},
        {"top_p": 0.3},
        {"min_p": 0.5},
        {"seed": 2},
        {"presence_penalty": 2.0},
        {"frequency_penalty": 2.0},
        {"temperature": 0.5},
        {"samplers": ()},
    ],
)
def test_it_changes_what_is_drawn(generate, change):
    assert generate(**WIDE) == generate(**WIDE)
    assert generate(**{**WIDE, **change}) != generate(**WIDE)


@pytest.mark.parametrize("name", ["typical_p", "top_p"])
def test_a_filter_that_keeps_everything_changes_nothing(generate, name):
    assert generate(**{**WIDE, name: 1.0}) == generate(**WIDE)


def test_xtc_removes_the_likeliest_of_several_tokens(generate):
    always = {**WIDE, "xtc_probability": 1.0, "xtc_threshold": 0.01}
    assert generate(**always) != generate(**{**always, "xtc_probability": 0.0})


def test_a_single_candidate_is_greedy_whatever_the_temperature(generate):
    for only_one in ({"top_k": 1}, {"min_p": 1.0}, {"top_p": 0.0}, {"typical_p": 0.0, "top_k": 1}):
        assert generate(temperature=2.0, **only_one).startswith("1, 2, 3")


def test_samplers_that_are_not_named_do_nothing(generate):
    without = tuple(name for name in SAMPLERS if name != "top_k")
    assert generate(**{**WIDE, "top_k": 1, "samplers": without}) == generate(**WIDE)


def test_the_order_of_samplers_matters(generate):
    hot = {**WIDE, "min_p": 0.05}
    first = generate(**{**hot, "samplers": ("temperature", "min_p")})
    assert first != generate(**{**hot, "samplers": ("min_p", "temperature")})


def test_a_bias_bans_a_token_by_id_or_text(generate, llama):
    [five] = llama.vocabulary.tokenize("5")
    for key in (five, "5"):
        assert "5" not in generate(temperature=0, logit_bias=((key, -100.0),))
        assert "5" not in generate(temperature=0, logit_bias=((key, float("-inf")),))


def test_a_bias_forces_a_token(generate):
    assert set(generate(temperature=0, logit_bias=(("7", 100.0),), max_tokens=5)) == {"7"}


@pytest.mark.parametrize("token", [-1, 10**6])
def test_a_token_that_is_not_there_is_refused(llama, token):
    core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=1), llama)
    output = core.add_request(GenerateRequest("r", PROMPT, SamplingParams(logit_bias=((token, 1.0),))))
    assert output.failure.code is FailureCode.INVALID_PARAMETER
    assert output.failure.param == "logit_bias"
    assert str(token) in output.failure.message


def test_repetition_samplers_see_the_prompt(generate):
    prompt = "<|im_start|>user\nRepeat: cat dog cow<|im_end|>\n<|im_start|>assistant\n"
    assert generate(prompt, temperature=0) == "cat dog cow"
    assert generate(prompt, temperature=0, repeat_penalty=10.0, repeat_last_n=-1) != "cat dog cow"
    assert generate(prompt, temperature=0, repeat_penalty=10.0, repeat_last_n=0) == "cat dog cow"
    assert generate(prompt, temperature=0, dry_multiplier=50.0, dry_allowed_length=1) != "cat dog cow"
    assert generate(prompt, temperature=0, dry_multiplier=50.0, dry_penalty_last_n=0) == "cat dog cow"


def test_seeded_draws_follow_the_probabilities():
    logits = np.log([0.5, 0.3, 0.2])
    tokens = np.arange(3)
    drawn = [int(np.argmax(logits + gumbel_noise(7, step, tokens))) for step in range(20_000)]
    shares = np.bincount(drawn) / len(drawn)
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_the_noise_of_a_token_depends_on_seed_and_step_alone():
    tokens = np.array([5, 900, 3])
    assert gumbel_noise(1, 2, tokens)[2] == gumbel_noise(1, 2, np.array([3]))[0]
    assert len({gumbel_noise(seed, step, np.array([3]))[0] for seed in (-1, 0, 2**63) for step in (0, 1)}) == 6


def test_a_seed_gives_the_same_text_beside_others(llama):
    """Wide sampling at a high temperature, alone and with three other sequences in every batch."""
    core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=1), llama)
    core.add_request(GenerateRequest("r", PROMPT, SamplingParams(**{**WIDE, "temperature": 1.2})))
    alone = text(run(core))
    together = Llama(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=4))
    core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=4), together)
    for number in range(3):
        core.add_request(GenerateRequest(f"other{number}", PROMPT, SamplingParams(**{**WIDE, "seed": number + 100})))
    core.add_request(GenerateRequest("r", PROMPT, SamplingParams(**{**WIDE, "temperature": 1.2})))
    assert text(run(core)) == alone
    together.close()
