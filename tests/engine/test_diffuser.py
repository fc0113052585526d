"""The engine of diffusion models: on a backend of letters, and with the real llama.cpp on a tiny LLaDA."""

from dataclasses import replace

import numpy as np
import pytest

from inference.engine import worker
from inference.engine.backend import DecodeError
from inference.engine.canvas import BLOCK, CONFIDENT, LENGTH
from inference.engine.config import EngineConfig
from inference.engine.diffuser import NO_ORDER, Diffuser
from inference.engine.diffusion_llama import DiffusionLlama
from inference.engine.llama_kinds import new_llama
from inference.engine.loading import load_model
from inference.engine.messages import (
    Constraint,
    EngineStats,
    FailureCode,
    GenerateRequest,
    SamplingParams,
    Start,
    Thinking,
    TokenLogprob,
    Usage,
)
from tests.engine.asking import ask
from tests.engine.fake_llama import run
from tests.gguf_files import copy_gguf, write_marked_gguf
from tests.tiny_models import MASK

END = 0
HOLE = ord("_")
WORD = "to be or not to be, that is the question!"
GREEDY = SamplingParams(temperature=0)


class FakeDiffusion:
    """Knows one text, and is the surer of a place the further right it is, but sure of its `sure` ones only.

    shifts_logits: what belongs into a place is in the row before it.
    """

    mask_token = HOLE

    def __init__(self, text: str = WORD, sure: str = "", shifts_logits: bool = False) -> None:
        self.vocabulary = self
        self.shifts_logits = shifts_logits
        self.texts: list[str] = []
        self.fails = False
        self.samplers: list[FakeSampler] = []
        self._answer, self._sure = text, sure

    def prompt_tokens(self, prompt: str | tuple[int, ...], suffix: str | None = None) -> list[int]:
        return [ord(char) for char in prompt]

    def markers(self, names: tuple[str, ...]) -> dict[int, bytes]:
        return {ord(name): name.upper().encode() for name in names}

    def piece(self, token: int) -> bytes:
        return b"" if token == END else chr(token).encode()

    def is_end(self, token: int) -> bool:
        return token == END

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: None) -> "FakeSampler":
        self.samplers.append(FakeSampler(self))
        return self.samplers[-1]

    def decode(self, batch) -> None:
        if self.fails:
            raise DecodeError("no power")
        count = batch.num_tokens
        assert batch.pos[:count].tolist() == list(range(count))
        assert batch.logits[:count].all()
        self.texts.append("".join(map(chr, batch.token[:count])))

    def logits(self, row: int) -> np.ndarray:
        """Give the letter of the answer that comes in this row the chance that the model sees for it."""
        place = row + self.shifts_logits - self.texts[-1].index(">") - 1
        letter = self._answer[place] if place < len(self._answer) else chr(END)
        chance = 0.95 if letter in self._sure else 0.3 + place / 1000
        logits = np.full(128, np.log((1 - chance) / 127), np.float32)
        logits[ord(letter)] = np.log(chance)
        return logits

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        return TokenLogprob(chr(token).encode(), float(self.logits(row)[token]))


class FakeSampler:
    def __init__(self, llama: FakeDiffusion) -> None:
        self._llama = llama
        self.counted: list[str] = []
        self.is_closed = False

    def choose(self, row: int, position: int) -> int:
        return int(self._llama.logits(row).argmax())

    def account_for(self, token: int) -> None:
        self.counted.append(chr(token))

    def close(self) -> None:
        self.is_closed = True


def request(name="a", prompt="say>", max_tokens=None, **fields):
    return GenerateRequest(name, prompt, replace(GREEDY, max_tokens=max_tokens), **fields)


def new_diffuser(llama=None, n_ctx=512, n_seq_max=2):
    return Diffuser(EngineConfig("", n_ctx=n_ctx, n_seq_max=n_seq_max), llama or FakeDiffusion(), clock=lambda: 0.0)


def text(outputs, name="a"):
    return "".join(output.text for output in outputs if output.request_id == name)


@pytest.mark.parametrize("shifts_logits", [False, True])
def test_an_answer_is_filled_in_and_told_from_left_to_right(shifts_logits):
    llama = FakeDiffusion(shifts_logits=shifts_logits)
    diffuser = new_diffuser(llama)
    assert diffuser.add_request(request()) is None
    outputs = run(diffuser)
    assert text(outputs) == WORD
    assert outputs[0].start == Start(len("say>"), 0, 0.0)
    assert not any(output.start for output in outputs[1:])
    assert (outputs[-1].finish_reason, outputs[-1].usage) == ("stop", Usage(4, len(WORD) + 1, 0))
    assert llama.texts[0] == "say>" + "_" * LENGTH
    assert llama.texts[1] == f"say>{'_' * (BLOCK - 1)}{WORD[BLOCK - 1]}{'_' * (LENGTH - BLOCK)}"
    assert llama.samplers[0].is_closed


def test_a_step_gives_their_tokens_to_all_places_that_are_sure():
    llama = FakeDiffusion("aabbab", sure="b")
    diffuser = new_diffuser(llama)
    diffuser.add_request(request(max_tokens=6))
    assert text(run(diffuser)) == "aabbab"
    assert llama.texts == ["say>______", "say>__bb_b", "say>__bbab", "say>_abbab"]
    assert llama.samplers[0].counted == ["b", "b", "b", "a", "a", "a"]
    assert CONFIDENT < 0.95


def test_nothing_is_computed_after_an_end():
    llama = FakeDiffusion("no", sure=chr(END))
    diffuser = new_diffuser(llama)
    diffuser.add_request(request())
    outputs = run(diffuser)
    assert (text(outputs), len(llama.texts)) == ("no", 3)
    assert outputs[-1].usage.completion_tokens == 3


def test_an_answer_longer_than_a_canvas_goes_on_on_another():
    llama = FakeDiffusion("ab" * 200, sure="ab")
    diffuser = new_diffuser(llama)
    diffuser.add_request(request(max_tokens=300))
    outputs = run(diffuser)
    assert (text(outputs), outputs[-1].finish_reason) == ("ab" * 150, "length")
    assert len(llama.texts) == -(-LENGTH // BLOCK) + -(-(300 - LENGTH) // BLOCK)
    assert llama.texts[-1].count("_") == 300 - LENGTH - BLOCK


def test_an_answer_ends_with_the_context_or_a_stop_text():
    diffuser = new_diffuser(FakeDiffusion("x" * 99), n_ctx=20)
    diffuser.add_request(request())
    diffuser.add_request(GenerateRequest("b", "say>", replace(GREEDY, stop=("xx",))))
    outputs = run(diffuser)
    assert (text(outputs), text(outputs, "b")) == ("x" * 16, "")
    ends = {output.request_id: output.finish_reason for output in outputs if output.finished}
    assert ends == {"a": "length", "b": "stop"}


def test_running_requests_take_turns_and_others_wait():
    llama = FakeDiffusion("abcd")
    diffuser = new_diffuser(llama)
    for name in "abc":
        diffuser.add_request(request(name, f"{name}>", max_tokens=2))
    assert diffuser.stats == EngineStats(3, 0)
    outputs = [*diffuser.step(), *diffuser.step()]
    assert diffuser.stats == EngineStats(1, 2)
    outputs += run(diffuser)
    assert [each[:2] for each in llama.texts] == ["a>", "b>", "a>", "b>", "c>", "c>"]
    assert [text(outputs, name) for name in "abc"] == ["ab"] * 3


def test_markers_and_log_probabilities_are_told_in_order():
    diffuser = new_diffuser(FakeDiffusion("ab", sure="b"))
    sampling = replace(GREEDY, max_tokens=2, logprobs=0)
    diffuser.add_request(GenerateRequest("a", ">", sampling, markers=("b",)))
    outputs = run(diffuser)
    assert text(outputs) == "aB"
    logprobs = [each for output in outputs for each in output.logprobs]
    assert [(each.piece, round(np.exp(each.logprob), 2)) for each in logprobs] == [(b"a", 0.3), (b"b", 0.95)]


def test_an_aborted_request_leaves_nothing_behind():
    llama = FakeDiffusion()
    diffuser = new_diffuser(llama)
    diffuser.add_request(request(max_tokens=20))
    diffuser.step()
    assert diffuser.abort_request("a").finish_reason == "abort"
    assert diffuser.abort_request("a") is None
    assert not diffuser.has_work
    assert llama.samplers[0].is_closed
    assert diffuser.stats == EngineStats()


def test_a_step_that_fails_ends_its_request_only():
    llama = FakeDiffusion("ab")
    diffuser = new_diffuser(llama)
    diffuser.add_request(request("a", max_tokens=2))
    diffuser.add_request(request("b", max_tokens=2))
    llama.fails = True
    [output] = diffuser.step()
    assert (output.request_id, output.failure.code) == ("a", FailureCode.DECODE_FAILED)
    llama.fails = False
    assert text(run(diffuser), "b") == "ab"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"constraint": Constraint('start: "a"', "response_format")}, "response_format"),
        ({"thinking": Thinking("<think>", "</think>", budget=5)}, "reasoning_budget"),
        ({"prompt_logprobs": 0}, "echo"),
    ],
)
def test_what_needs_an_order_is_refused(fields, param):
    output = new_diffuser().add_request(request(**fields))
    assert output.failure.param == param
    assert output.failure.message.startswith(NO_ORDER)


def test_prompts_that_do_not_fit_are_refused():
    diffuser = new_diffuser(n_ctx=10)
    assert diffuser.add_request(request(prompt="")).failure.code == FailureCode.EMPTY_PROMPT
    assert diffuser.add_request(request(prompt="x" * 10)).failure.code == FailureCode.CONTEXT_LENGTH_EXCEEDED
    assert not diffuser.has_work


def test_it_has_nothing_to_do_without_work():
    diffuser = new_diffuser()
    diffuser.rest()
    diffuser.close(1)
    assert diffuser.rest_seconds is None


CONFIG = EngineConfig("", n_ctx=512, n_seq_max=4)
PROMPTS = [[(7 * number + 31 * index) % 1000 for index in range(20 + 45 * number)] for number in range(4)]


@pytest.fixture(scope="module")
def llama(tiny_model):
    llama = new_llama(replace(CONFIG, model_path=str(tiny_model("diffusion"))), lambda: None, load_model)
    assert isinstance(llama, DiffusionLlama)
    yield llama
    llama.close()


@pytest.fixture(params=[False, True], ids=["in place", "shifted"])
def both(request, llama, monkeypatch):
    """The model, and the same as if what belongs into a place were in the row before it."""
    monkeypatch.setattr(DiffusionLlama, "shifts_logits", request.param)
    return llama


def new_engine(llama):
    return Diffuser(llama.config, llama)


def test_it_fills_in_as_the_published_algorithm_does(both):
    """Written down anew: block after block, all probabilities of all masked places, the largest ones win."""
    prompt = PROMPTS[1]
    tokens = [*prompt, *[MASK] * 40]
    ends = both.vocabulary.end_tokens
    for first in range(len(prompt), len(tokens), BLOCK):
        places = range(first, min(first + BLOCK, len(tokens)))
        while masked := [place for place in places if tokens[place] == MASK]:
            logits = whole_text_logits(both, tokens)
            logits[:, ends] = -np.inf
            chances = np.exp(logits) / np.exp(whole_text_logits(both, tokens)).sum(axis=1, keepdims=True)
            best = {place: chances[place - both.shifts_logits].max() for place in masked}
            now = [place for place in masked if best[place] >= CONFIDENT or best[place] == max(best.values())]
            for place in now:
                tokens[place] = int(chances[place - both.shifts_logits].argmax())
    expected = [both.vocabulary.spelling(token) for token in tokens[len(prompt) :]]
    assert ask(new_engine(both), prompt, max_tokens=40) == [expected]


def whole_text_logits(llama, tokens):
    """The logits of all rows, as float64, without the mask's."""
    diffuser = new_engine(llama)
    diffuser._batch.add(tokens, 0, 0, want_logits=True, want_all=True)
    llama.decode(diffuser._batch)
    return np.array([llama.logits(row) for row in range(len(tokens))], np.float64)


def test_together_as_alone(both):
    alone = [ask(new_engine(both), prompt, max_tokens=40)[0] for prompt in PROMPTS]
    assert ask(new_engine(both), *PROMPTS, max_tokens=40) == alone
    assert all(len(tokens) == 40 for tokens in alone)


def test_a_seed_gives_the_same_answer_again(llama):
    [first], [second], [other] = (ask(new_engine(llama), PROMPTS[0], temperature=1.0, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_what_was_said_can_be_made_rarer(llama):
    [plain], [rare] = (ask(new_engine(llama), PROMPTS[0], presence_penalty=penalty) for penalty in (0, 2))
    assert len(set(rare)) > len(set(plain))


def test_it_keeps_nothing(llama):
    info = llama.info(0.0)
    assert (info.memory_kind, info.kv_bytes, info.host_cache_bytes, info.speculation) == ("none", 0, 0, "off")
    assert (info.n_batch, info.n_ubatch, info.n_seq_max) == (512, 512, 4)


def test_the_file_says_whether_rows_are_shifted(llama, tiny_model, tmp_path):
    assert not llama.shifts_logits
    path = copy_gguf(tiny_model("diffusion"), tmp_path / "model.gguf", without=["diffusion.shift_logits"])
    shifted = new_llama(replace(CONFIG, model_path=str(path)), lambda: None, load_model)
    assert shifted.shifts_logits
    shifted.close()


def test_a_file_that_names_no_mask_has_one_of_such_a_name_or_the_last_token(llama, tiny_model, tmp_path, capsys):
    assert (llama.names_mask, llama.mask_token) == (True, MASK)
    without = ["tokenizer.ggml.mask_token_id"]
    path = copy_gguf(tiny_model("diffusion"), tmp_path / "nameless.gguf", without=without)
    named = write_marked_gguf(path, tmp_path / "named.gguf", ["<|mdm_mask|>"])
    for file, spelling in ((path, b"</tool_response>"), (named, b"<|mdm_mask|>")):
        other = new_llama(replace(CONFIG, model_path=str(file)), lambda: None, load_model)
        assert not other.names_mask
        assert other.vocabulary.spelling(other.mask_token) == spelling
        assert isinstance(worker._new_engine(other, lambda: None), Diffuser)
        assert f"names no mask token; '{spelling.decode()}' is taken" in capsys.readouterr().err
        other.close()
