"""Speculative decoding in the engine: fewer steps, the same answers."""

from dataclasses import replace

import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.drafts import LookupDrafts, ModelDrafts
from inference.engine.llama import Llama
from inference.engine.loading import ModelLoadError
from inference.engine.messages import GenerateRequest, SamplingParams
from inference.engine.speculator import Speculator, new_speculator
from tests.engine.fake_llama import END, FakeLlama, request, run, text
from tests.live_server import DEMO

QUOTE = "<|im_start|>user\nRepeat: one two three four five six seven eight nine ten<|im_end|>\n<|im_start|>assistant\n"


class Guesses:
    """Guesses the letters that a function names, as many as are wanted."""

    is_costly = False

    def __init__(self, guess) -> None:
        self._guess = guess
        self.forgotten: list[str] = []

    def propose(self, sequences, mosts):
        return [self._guess(each.tokens[-1], most) for each, most in zip(sequences, mosts, strict=True)]

    def forget(self, sequence) -> None:
        self.forgotten.append(sequence.id)


def right(token: int, most: int) -> list[int]:
    following = [*range(token + 1, ord("e") + 1), END]
    return following[:most]


def wrong(token: int, most: int) -> list[int]:
    return [ord("z")] * most


def half_right(token: int, most: int) -> list[int]:
    return [*right(token, 1), *wrong(token, 3)][:most]


def new_core(guess, **settings: int) -> tuple[EngineCore, FakeLlama, Guesses]:
    config = EngineConfig("fake.gguf", n_ctx=100, n_seq_max=2, draft_max=8, **settings)
    llama, guesses = FakeLlama(2), Guesses(guess)
    return EngineCore(config, llama, Speculator(guesses, 8, config.n_batch), clock=Clock()), llama, guesses


class Clock:
    """Steps take a second, however many tokens they compute."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


@pytest.mark.parametrize("guess", [right, wrong, half_right])
def test_the_answer_is_the_same_and_nothing_is_left_over(guess):
    core, llama, guesses = new_core(guess)
    for _ in range(5):
        core.add_request(request("xa", "p"))
        core.add_request(request("yyc", "q"))
        outputs = run(core)
        assert (text(outputs, "p"), text(outputs, "q")) == ("bcde", "de")
        assert {output.request_id: output.usage.completion_tokens for output in outputs if output.usage} == {
            "p": 5,
            "q": 3,
        }
    assert set(guesses.forgotten) == {"p", "q"}
    assert all("z" not in map(chr, cells) for cells in llama.cells)


def test_right_guesses_save_steps():
    plain, llama, _ = new_core(wrong)
    lucky, lucky_llama, _ = new_core(right)
    for core in (plain, lucky):
        for _ in range(10):
            core.add_request(request("a"))
            run(core)
    assert len(lucky_llama.batches) < len(llama.batches) * 0.7


def test_a_draft_never_exceeds_the_length_limit():
    core, _, _ = new_core(right)
    for limit in (1, 2, 3, 2, 1):
        core.add_request(request("a", max_tokens=limit))
        outputs = run(core)
        assert (text(outputs), outputs[-1].finish_reason) == ("bcde"[:limit], "length")


def test_a_stop_string_ends_within_a_draft():
    core, _, _ = new_core(right)
    for _ in range(4):
        core.add_request(request("a", stop=("cd",)))
        assert text(run(core)) == "b"


def test_logprobs_come_for_every_token_of_a_draft():
    core, _, _ = new_core(right)
    for _ in range(4):
        core.add_request(request("a", logprobs=0))
        outputs = run(core)
        assert [token.piece for output in outputs for token in output.logprobs] == [b"b", b"c", b"d", b"e"]


@pytest.fixture(scope="module")
def llama():
    llama = Llama(EngineConfig(str(DEMO), n_ctx=512, n_seq_max=2, draft_max=8))
    yield llama
    llama.close()


def answer(
    llama: Llama, speculator: Speculator | None, prompts: list[str], **sampling: object
) -> tuple[list[str], int]:
    """Return what the prompts are answered, all at once, and in how many steps."""
    for slot in range(llama.num_slots):
        llama.truncate(slot, 0)
    core = EngineCore(llama.config, llama, speculator)
    for number, prompt in enumerate(prompts):
        core.add_request(GenerateRequest(str(number), prompt, SamplingParams(max_tokens=60, **sampling)))
    outputs, num_steps = [], 0
    while core.has_work:
        outputs += core.step()
        num_steps += 1
    return [text(outputs, str(number)) for number in range(len(prompts))], num_steps


@pytest.mark.parametrize("speculation", ["lookup", "draft"])
@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1.0, "seed": 7}], ids=["greedy", "seeded"])
def test_a_real_model_says_the_same(llama, speculation, sampling):
    config = replace(llama.config, speculation=speculation, draft_model_path=str(DEMO))
    prompts = [QUOTE, QUOTE.replace("Repeat", "Say")]
    plain, _ = answer(llama, None, prompts, **sampling)
    assert answer(llama, new_speculator(config, llama), prompts, **sampling)[0] == plain


def test_a_draft_model_that_is_always_right_saves_steps(llama):
    """The model drafts for itself: whether that pays on this machine is another question, so it costs nothing here."""
    config = replace(llama.config, speculation="draft", draft_model_path=str(DEMO))
    speculator = new_speculator(config, llama)
    assert isinstance(speculator._drafts, ModelDrafts)
    speculator._policy.budget = lambda num_decoding: 4
    _, num_steps = answer(llama, None, [QUOTE], temperature=0, ignore_eos=True)
    _, num_drafted_steps = answer(llama, speculator, [QUOTE], temperature=0, ignore_eos=True)
    assert num_drafted_steps < num_steps * 0.5


def test_what_is_asked_for_is_what_is_used(llama, tiny_model):
    assert new_speculator(replace(llama.config, speculation="off"), llama) is None
    assert isinstance(new_speculator(replace(llama.config, speculation="lookup"), llama)._drafts, LookupDrafts)
    other = replace(llama.config, speculation="draft", draft_model_path=str(tiny_model("recurrent")))
    with pytest.raises(ModelLoadError, match="recurrent"):
        new_speculator(other, llama)


def test_recurrent_models_guess_nothing(tiny_model):
    recurrent = Llama(EngineConfig(str(tiny_model("recurrent")), n_ctx=256, n_seq_max=1, speculation="lookup"))
    assert recurrent.config.speculation == "off"
    assert new_speculator(recurrent.config, recurrent) is None
    recurrent.close()
