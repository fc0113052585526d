"""Guided sampling with the real llguidance on the demo model's vocabulary."""

import json
import threading

import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.guide import ConstraintError, Guide
from inference.engine.llama import Llama
from inference.engine.messages import Constraint, FailureCode, GenerateRequest, Output, SamplingParams, Thinking
from tests.engine.fake_llama import text
from tests.live_server import DEMO

CITY = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}
COMPACT = {**CITY, "additionalProperties": False, "x-guidance": {"whitespace_flexible": False}}
PROMPT = "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"
THINK = Thinking("<think>", "</think>")


@pytest.fixture(scope="module")
def compiled() -> threading.Event:
    return threading.Event()


@pytest.fixture(scope="module")
def llama(compiled):
    llama = Llama(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=2), on_compiled=compiled.set)
    yield llama
    llama.close()


@pytest.fixture
def generate(llama, compiled):
    def generate(constraint: Constraint | None, prompt: str = PROMPT, **options: object) -> list[Output]:
        core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=2), llama)
        sampling = SamplingParams(**{"temperature": 1.5, "top_k": 0, "top_p": 1, "seed": 1, "max_tokens": 100})
        compiled.clear()
        core.add_request(GenerateRequest("r", prompt, sampling, constraint, **options))
        if constraint and not core.has_work:
            assert compiled.wait(30)
        outputs = []
        while core.has_work:
            outputs += core.step()
        return outputs

    return generate


@pytest.fixture
def guide(llama):
    def guide(constraint: Constraint | None, thinking: Thinking | None = None) -> Guide:
        grammar = llama.compile(constraint).result(30) if constraint else None
        return Guide(llama.vocabulary, constraint, grammar, thinking)

    return guide


def lark(body: str, **options: object) -> Constraint:
    return Constraint(f"start: {body}", "grammar", **options)


def json_lark(schema: dict, **options: object) -> Constraint:
    return lark(f"%json {json.dumps(schema)}", **options)


def follow(guide: Guide, llama: Llama, words: str) -> bool:
    """Feed a text token by token; False where the guide does not allow or accept one."""
    for token in llama.vocabulary.tokenize(words):
        allowed = guide.allowed()
        if (allowed is not None and token not in allowed) or not guide.accept(token):
            return False
    return True


def test_a_grammar_is_obeyed_and_ends_the_answer(generate):
    outputs = generate(lark('"yes" | "no"'))
    assert text(outputs) in ("yes", "no")
    assert outputs[-1].finish_reason == "stop"


def test_a_schema_is_obeyed_at_any_temperature(generate):
    answer = json.loads(text(generate(json_lark(COMPACT))))
    assert list(answer) == ["city"]


def test_a_grammar_that_cannot_be_used_is_an_invalid_parameter(generate):
    failure = generate(json_lark({"type": "string", "format": "nonsense"}))[-1].failure
    assert (failure.code, failure.param) == (FailureCode.INVALID_PARAMETER, "grammar")
    assert "nonsense" in failure.message


def test_a_compiled_grammar_is_kept(llama):
    constraint = lark('"kept"')
    assert llama.compile(constraint) is llama.compile(constraint)


def test_a_request_can_be_aborted_while_its_grammar_compiles(llama):
    core = EngineCore(EngineConfig(str(DEMO), n_ctx=256, n_seq_max=2), llama)
    busy = [llama.compile(json_lark({**COMPACT, "description": str(number)})) for number in range(20)]
    core.add_request(GenerateRequest("r", PROMPT, SamplingParams(), lark('"never seen before"')))
    assert core.abort_request("r").finish_reason == "abort"
    assert core.abort_request("r") is None
    assert all(future.result(30) for future in busy)


def test_control_tokens_are_named_in_texts(guide, llama):
    constraint = lark('%text "<|im_start|>a" "b" %text ""')
    assert follow(guide(constraint), llama, "<|im_start|>ab")
    assert not follow(guide(constraint), llama, "ab")


@pytest.mark.parametrize("end", ["</v>", "<|im_start|>", "</v><|im_start|>x"])
def test_a_rule_may_go_up_to_a_text(guide, llama, end):
    constraint = Constraint(f'start: value "yes"\n%until value {json.dumps(end)}', "grammar")
    assert follow(guide(constraint), llama, f"a\nb < </w>{end}yes")
    assert not follow(guide(constraint), llama, f"a\nb{end}no")


def test_text_is_free_until_the_trigger(guide, llama):
    constraint = lark('"answer:yes"', triggers=("answer:",))
    assert follow(guide(constraint), llama, "My answer:yes")
    assert not follow(guide(constraint), llama, "My answer:no")
    after = guide(constraint)
    assert follow(after, llama, "answer:yes")
    assert set(after.allowed()) == set(llama.vocabulary.end_tokens)


def test_a_constraint_may_repeat(guide, llama):
    constraint = lark('"answer:yes"', triggers=("answer:",), repeats=True)
    assert follow(guide(constraint), llama, "answer:yes and answer:yes, I say.")
    assert not follow(guide(constraint), llama, "answer:yes and answer:no")


def test_a_trigger_may_count_only_at_the_beginning(guide, llama):
    constraint = lark('"answer:yes"', triggers=("answer:",), only_first=True)
    assert not follow(guide(constraint), llama, "\n answer:no")
    assert follow(guide(constraint), llama, "My answer:no")


def test_a_token_that_crosses_the_trigger_must_fit_the_grammar(guide, llama):
    """Whichever way the text falls into tokens, what follows the trigger obeys the grammar."""
    vocabulary = llama.vocabulary
    crossing = [token for token in range(vocabulary.size) if vocabulary.piece(token) == b"> "]
    token = crossing[0] if crossing else vocabulary.tokenize("ab")[0]
    head = vocabulary.piece(token).decode()[0]
    refusing = guide(lark(json.dumps(f"{head}#"), triggers=(head,)))
    accepts = refusing.accept(token)
    assert accepts == (len(vocabulary.piece(token)) == 1)


def test_thinking_comes_before_the_grammar(guide, llama):
    constraint = lark('/ ?/ "yes"')
    opened = Thinking("<think>", "</think>", is_open=True)
    assert follow(guide(constraint, opened), llama, "Hm, no!</think> yes")
    assert not follow(guide(constraint, opened), llama, "Hm, no!</think>no")
    assert follow(guide(constraint, THINK), llama, "<think>no</think>yes")
    assert follow(guide(constraint, THINK), llama, "yes")
    assert not follow(guide(constraint, THINK), llama, "no")


def test_the_answer_does_not_end_in_the_thinking_if_a_grammar_follows(guide, llama):
    opened = Thinking("<think>", "</think>", is_open=True)
    [end] = llama.vocabulary.tokenize("<|im_end|>")
    assert not guide(lark('"yes"'), opened).accept(end)
    assert guide(None, opened).accept(end)


def test_triggers_do_not_count_in_the_thinking(guide, llama):
    constraint = lark('"answer:yes"', triggers=("answer:",))
    assert follow(guide(constraint, THINK), llama, "<think>answer:no</think>answer:yes")
    assert not follow(guide(constraint, THINK), llama, "<think>answer:no</think>answer:no")


@pytest.mark.parametrize(("is_open", "prefix"), [(True, ""), (False, "<think>")])
@pytest.mark.parametrize("budget", [0, 1, 5])
def test_the_budget_ends_the_thinking(guide, llama, is_open, prefix, budget):
    limited = guide(None, Thinking("<think>", "</think>", is_open, budget))
    assert follow(limited, llama, prefix)
    [letter] = llama.vocabulary.tokenize("a")
    for _ in range(budget):
        assert limited.allowed() is None
        assert limited.accept(letter)
    for token in llama.vocabulary.tokenize("</think>"):
        assert list(limited.allowed()) == [token]
        assert limited.accept(token)
    assert limited.allowed() is None


def test_thinking_that_ends_by_itself_is_not_ended_again(guide, llama):
    limited = guide(None, Thinking("<think>", "</think>", is_open=True, budget=20))
    assert follow(limited, llama, "</think>")
    for token in llama.vocabulary.tokenize("abcdefgh" * 5):
        assert limited.allowed() is None
        assert limited.accept(token)


def test_a_guide_that_allows_nothing_fails_only_its_sequence(generate, monkeypatch):
    def nothing(self):
        raise ConstraintError("nothing fits")

    monkeypatch.setattr(Guide, "allowed", nothing)
    failure = generate(lark('"x"'))[-1].failure
    assert (failure.code, failure.message) == (FailureCode.CONSTRAINT_FAILED, "nothing fits")


def test_markers_appear_in_the_text(generate):
    constraint = lark('%text "<|im_start|>x"')
    assert text(generate(constraint)) == "x"
    assert text(generate(constraint, markers=("<|im_start|>", "<unknown>"))) == "<|im_start|>x"
