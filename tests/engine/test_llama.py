"""Llama and EngineCore together: the real llama.cpp on the demo model."""

import math

import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.llama import Llama, ModelLoadError, system_info
from inference.engine.messages import GenerateRequest, Output, SamplingParams
from tests.engine.fake_llama import run, text
from tests.live_server import DEMO
from tests.mutations.catalogue import PATTERNS
from tests.mutations.damage import filled
from tests.mutations.layout import Layout

SLOTS = 3
QUESTIONS = ["What is the capital of Italy?", "Count to 12.", "What is 4 + 5?", "Привет!", "Hello!", "Repeat: cat dog"]


def prompt(question: str) -> str:
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def llama():
    llama = Llama(EngineConfig(str(DEMO), n_ctx=512, n_seq_max=SLOTS))
    yield llama
    llama.close()


@pytest.fixture
def core(llama):
    """A core on cleared slots; the model itself is loaded once."""
    for slot in range(SLOTS):
        llama.truncate(slot, 0)
    return EngineCore(EngineConfig(str(DEMO), n_ctx=512, n_seq_max=SLOTS, n_batch=64), llama)


def add(core: EngineCore, question: str, **sampling: object) -> None:
    sampling = {"temperature": 0, **sampling}
    core.add_request(GenerateRequest(question, prompt(question), SamplingParams(**sampling)))


def answer(core: EngineCore, question: str, **sampling: object) -> str:
    add(core, question, **sampling)
    return text(run(core), question)


def test_tokens_and_pieces_are_inverse(llama):
    sentence = "Hello, Привет, 🙂 <tool_call>!"
    assert b"".join(map(llama.vocabulary.piece, llama.vocabulary.tokenize(sentence))).decode() == sentence


def test_control_tokens_are_recognised_and_have_no_text(llama):
    [token] = llama.vocabulary.tokenize("<|im_end|>")
    assert llama.vocabulary.is_end(token)
    assert llama.vocabulary.piece(token) == b""


def test_together_as_alone(core):
    alone = {question: answer(core, question) for question in QUESTIONS}
    for question in QUESTIONS:
        add(core, question)
    outputs = run(core)
    assert {question: text(outputs, question) for question in QUESTIONS} == alone
    assert "Rome" in alone[QUESTIONS[0]]


def test_a_copied_prefix_gives_the_same_answer(core):
    system = "<|im_start|>system\n" + "You are a helpful assistant. " * 8 + "<|im_end|>\n"

    def ask(question: str) -> list[Output]:
        core.add_request(GenerateRequest("r", system + prompt(question), SamplingParams(temperature=0)))
        return run(core)

    cold = text(ask(QUESTIONS[0]))
    ask("Count to 30.")
    warm = ask(QUESTIONS[0])
    assert text(warm) == cold
    assert warm[-1].usage.cached_tokens > 50


def test_an_answer_with_characters_of_several_tokens_is_whole(core):
    assert "\ufffd" not in answer(core, "Привет!")


def test_the_seed_decides(core):
    draw = {"temperature": 2, "top_k": 0, "top_p": 1, "min_p": 0, "max_tokens": 60, "ignore_eos": True}
    assert answer(core, "Hello!", seed=5, **draw) == answer(core, "Hello!", seed=5, **draw)
    assert len({answer(core, "Hello!", seed=None, **draw) for _ in range(5)}) > 1


def test_ignore_eos_goes_on_to_the_limit(core):
    add(core, "Hello!", ignore_eos=True, max_tokens=60)
    assert run(core)[-1].usage.completion_tokens == 60


def test_penalties_forbid_repetition(core):
    plain = answer(core, "Count to 9.")
    assert answer(core, "Count to 9.", presence_penalty=2, frequency_penalty=2) != plain


def test_the_context_fills_up_and_ends_with_length(core):
    add(core, "Hello!", ignore_eos=True)
    last = run(core)[-1]
    assert last.finish_reason == "length"
    assert last.usage.prompt_tokens + last.usage.completion_tokens == 512


def test_a_missing_file_is_a_load_error(tmp_path):
    with pytest.raises(ModelLoadError, match=r"nothing\.gguf"):
        Llama(EngineConfig(str(tmp_path / "nothing.gguf"), n_ctx=512))


def test_more_cells_than_llama_cpp_can_address_are_refused():
    with pytest.raises(ModelLoadError, match="can address"):
        Llama(EngineConfig(str(DEMO), n_ctx=2**30, n_seq_max=64))


def test_the_build_describes_itself():
    assert "CPU" in system_info()


def test_every_seed_is_reproducible(core):
    draw = {"temperature": 2, "top_k": 0, "top_p": 1, "min_p": 0, "max_tokens": 60, "ignore_eos": True}
    for seed in (2**32 - 1, -1, 2**63 - 1):
        assert answer(core, "Hello!", seed=seed, **draw) == answer(core, "Hello!", seed=seed, **draw)


def test_a_scored_prompt_tells_what_generating_it_told(core, llama):
    add(core, "Count to 12.", logprobs=2)
    said = [token for output in run(core) for token in output.logprobs]
    ids = {llama.vocabulary.spelling(token): token for token in range(llama.vocabulary.size)}
    tokens = [*llama.vocabulary.tokenize(prompt("Count to 12.")), *(ids[token.piece] for token in said)]
    core.add_request(GenerateRequest("again", tuple(tokens), SamplingParams(max_tokens=1), prompt_logprobs=2))
    scored = run(core)[0].prompt_logprobs
    assert [token.piece for token in scored] == [llama.vocabulary.spelling(token) for token in tokens]
    tail = scored[-len(said) :]
    assert [token.logprob for token in tail] == pytest.approx([token.logprob for token in said], abs=1e-3)
    assert [token.top[0][0] for token in tail] == [token.piece for token in said]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_log_probabilities_of_damaged_weights_are_numbers(tmp_path, pattern):
    path = tmp_path / "damaged.gguf"
    path.write_bytes(filled(Layout.of(DEMO), PATTERNS[pattern]).pack())
    config = EngineConfig(str(path), n_ctx=64, n_seq_max=1, n_batch=64)
    llama = Llama(config)
    core = EngineCore(config, llama)
    core.add_request(GenerateRequest("r", "Hello", SamplingParams(max_tokens=3, logprobs=2)))
    tokens = [token for output in run(core) for token in output.logprobs]
    assert tokens
    assert all(
        math.isfinite(value) for token in tokens for value in (token.logprob, *(value for _, value in token.top))
    )
    llama.close()
