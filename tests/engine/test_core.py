"""EngineCore: the life of requests, driven step by step on a fake llama."""

import pytest

from inference.engine.messages import FailureCode, Usage
from inference.engine.sequence import MAX_SCORED
from inference.engine.step_budget import FIRST_CHUNK
from tests.engine.fake_llama import new_core, request, run, text


def test_a_request_is_answered_token_by_token():
    core, _ = new_core()
    core.add_request(request("xa"))
    outputs = run(core)
    assert [output.text for output in outputs] == ["b", "c", "d", "e", ""]
    assert outputs[-1].finish_reason == "stop"
    assert outputs[-1].usage == Usage(prompt_tokens=2, completion_tokens=5, cached_tokens=0)
    assert not core.has_work


def test_only_the_last_output_is_terminal():
    core, _ = new_core()
    core.add_request(request("a"))
    assert [output.finished for output in run(core)] == [False] * 4 + [True]


def test_requests_run_together_and_do_not_mix():
    core, llama = new_core(slots=3)
    for name, prompt in {"p": "xxa", "q": "c", "r": "yb"}.items():
        core.add_request(request(prompt, name))
    outputs = run(core)
    assert [text(outputs, name) for name in "pqr"] == ["bcde", "de", "cde"]
    assert {slot for slot, _ in llama.batches[1]} == {0, 1, 2}


def test_more_requests_than_slots_wait_in_order():
    core, _ = new_core(slots=1)
    for name in "pqr":
        core.add_request(request("d", name))
    core.step()
    assert (core.stats.running, core.stats.waiting) == (1, 2)
    assert [output.request_id for output in run(core) if output.finished] == ["p", "q", "r"]


def test_max_tokens_ends_with_length():
    core, _ = new_core()
    core.add_request(request("a", max_tokens=2))
    outputs = run(core)
    assert text(outputs) == "bc"
    assert outputs[-1].finish_reason == "length"
    assert outputs[-1].usage.completion_tokens == 2


def test_a_full_context_ends_with_length():
    core, llama = new_core(n_ctx=5)
    core.add_request(request("xxa"))
    outputs = run(core)
    assert (text(outputs), outputs[-1].finish_reason) == ("bc", "length")
    assert len(llama.cells[0]) <= 5


def test_a_stop_string_ends_the_answer_and_is_not_sent():
    core, _ = new_core()
    core.add_request(request("a", stop=("cd",)))
    outputs = run(core)
    assert (text(outputs), outputs[-1].finish_reason) == ("b", "stop")


@pytest.mark.parametrize(
    ("prompt", "code"), [("x" * 100, FailureCode.CONTEXT_LENGTH_EXCEEDED), ("", FailureCode.EMPTY_PROMPT)]
)
def test_what_cannot_be_served_is_refused_at_once(prompt, code):
    core, llama = new_core(n_ctx=100)
    output = core.add_request(request(prompt))
    assert output.failure.code is code
    assert not core.has_work
    assert llama.open_samplers == 0


def test_a_parameter_that_does_not_fit_the_model_is_refused():
    core, _ = new_core()
    failure = core.add_request(request("a", logit_bias=((5, 1.0),))).failure
    assert (failure.code, failure.param) == (FailureCode.INVALID_PARAMETER, "logit_bias")
    assert not core.has_work


def test_an_overflow_names_both_numbers():
    core, _ = new_core(n_ctx=100)
    failure = core.add_request(request("x" * 120)).failure
    assert (failure.context_length, failure.prompt_tokens) == (100, 120)


def test_abort_frees_a_waiting_request():
    core, _ = new_core(slots=1)
    core.add_request(request("a", "p"))
    core.add_request(request("a", "q"))
    core.step()
    assert core.abort_request("q").finish_reason == "abort"
    assert core.stats.waiting == 0


def test_abort_frees_the_slot_while_prefilling():
    core, llama = new_core(slots=1, n_batch=4)
    core.add_request(request("x" * 50, "p"))
    core.step()
    core.abort_request("p")
    core.add_request(request("d", "q"))
    assert text(run(core), "q") == "e"
    assert llama.open_samplers == 0


def test_abort_frees_the_slot_while_decoding():
    core, _ = new_core(slots=1)
    core.add_request(request("a", "p"))
    core.add_request(request("d", "q"))
    core.step()
    core.step()
    assert core.abort_request("p").usage.completion_tokens == 2
    assert text(run(core), "q") == "e"


def test_abort_of_an_unknown_request_is_ignored():
    core, _ = new_core()
    assert core.abort_request("nobody") is None


def test_a_long_prompt_is_computed_in_batches():
    core, llama = new_core(n_batch=8)
    core.add_request(request("x" * 20 + "d"))
    assert text(run(core)) == "e"
    assert [len(batch) for batch in llama.batches] == [8, 8, 5, 1]


def test_streams_go_on_while_a_long_prompt_is_computed():
    core, llama = new_core(n_batch=512, n_ctx=2000)
    core.add_request(request("a", "stream"))
    core.step()
    core.add_request(request("x" * 300 + "d", "long"))
    outputs = [core.step() for _ in range(5)]
    assert [text(step, "stream") for step in outputs] == ["", "c", "", "d", ""]
    assert [len(batch) for batch in llama.batches[1:6]] == [FIRST_CHUNK - 1, 1, FIRST_CHUNK, 1, 46]


def test_chunks_stand_in_ascending_slot_order():
    core, llama = new_core(slots=3)
    for name in "pqr":
        core.add_request(request("x" * 5 + "a", name))
    core.step()
    core.abort_request("p")
    core.add_request(request("zzzza", "s"))
    run(core)
    for batch in llama.batches:
        slots = [slot for slot, _ in batch]
        assert slots == sorted(slots)


def test_the_next_turn_does_not_compute_its_history_again():
    core, llama = new_core()
    core.add_request(request("hello a"))
    first = "hello a" + text(run(core))
    llama.batches.clear()
    core.add_request(request(first + " more a"))
    outputs = run(core)
    assert outputs[-1].usage.cached_tokens == len(first)
    assert "".join(char for _, char in llama.batches[0]) == " more a"


def test_the_same_prompt_again_computes_only_its_last_token():
    core, llama = new_core(slots=1)
    core.add_request(request("hello a"))
    run(core)
    llama.batches.clear()
    core.add_request(request("hello a"))
    assert text(run(core)) == "bcde"
    assert [char for _, char in llama.batches[0]] == ["a"]


def test_a_shared_beginning_is_copied_and_the_old_conversation_kept():
    core, llama = new_core(slots=2)
    system = "s" * 40
    core.add_request(request(system + "x" * 55 + "d", "first"))
    run(core)
    core.add_request(request(system + "a", "second"))
    outputs = run(core)
    assert outputs[-1].usage.cached_tokens == len(system)
    assert text(outputs, "second") == "bcde"
    assert len(llama.cells[0]) > 90


def test_a_failed_decode_ends_its_requests_and_leaves_nothing_behind():
    core, llama = new_core()
    core.add_request(request("a", "p"))
    core.add_request(request("a", "q"))
    llama.fails = True
    outputs = run(core)
    assert [output.failure.code for output in outputs] == [FailureCode.DECODE_FAILED] * 2
    assert "no power" in outputs[0].failure.message
    assert llama.cells == [[], []]
    llama.fails = False
    core.add_request(request("a"))
    assert text(run(core)) == "bcde"


def test_stats_count_the_cells_in_use():
    core, _ = new_core()
    core.add_request(request("aaaa", max_tokens=1))
    core.step()
    assert core.stats.cached_tokens == 4


def test_stats_count_what_is_saved_beside_the_cells():
    core, _ = new_core(slots=1)
    for letter in "ab":
        core.add_request(request(letter * 40, letter, max_tokens=1))
        run(core)
    assert core.stats.saved_bytes == 4 * 40


def test_logprobs_come_with_the_text_of_their_tokens():
    core, _ = new_core()
    core.add_request(request("a", logprobs=1, stop=("dx",)))
    outputs = run(core)
    assert [output.text for output in outputs] == ["b", "c", "de", ""]
    pieces = [[token.piece for token in output.logprobs] for output in outputs]
    assert pieces == [[b"b"], [b"c"], [b"d", b"e"], []]
    assert outputs[0].logprobs[0].top == ((b"?", -1.0),)


def test_a_stop_string_has_no_logprobs():
    core, _ = new_core()
    core.add_request(request("a", logprobs=0, stop=("cd",)))
    assert [token.piece for output in run(core) for token in output.logprobs] == [b"b"]


def test_logprobs_are_computed_for_those_who_ask():
    core, _ = new_core()
    core.add_request(request("a"))
    assert not any(output.logprobs for output in run(core))


def test_a_prompt_may_be_token_ids():
    core, _ = new_core()
    core.add_request(request(tuple(map(ord, "xa"))))
    assert text(run(core)) == "bcde"


def test_a_prompt_is_scored_token_by_token_however_it_is_cut():
    for n_batch in (512, 3, 2):
        core, _ = new_core(n_batch=n_batch)
        core.add_request(request("xyza", prompt_logprobs=2))
        outputs = run(core)
        scores = outputs[0].prompt_logprobs
        assert [score.piece for score in scores] == [b"x", b"y", b"z", b"a"]
        assert [score.logprob for score in scores] == [None, -0.5, -0.5, -0.5]
        assert [len(score.top) for score in scores] == [0, 2, 2, 2]
        assert not any(output.prompt_logprobs for output in outputs[1:])
        assert text(outputs) == "bcde"


def test_a_scored_prompt_is_computed_whole_and_then_cached():
    core, llama = new_core(slots=1)
    core.add_request(request("hello a"))
    run(core)
    llama.batches.clear()
    core.add_request(request("hello a", prompt_logprobs=0))
    assert run(core)[-1].usage.cached_tokens == 0
    assert "".join(char for _, char in llama.batches[0]) == "hello a"
    core.add_request(request("hello a"))
    assert run(core)[-1].usage.cached_tokens == len("hello a") - 1


def test_a_scored_prompt_is_computed_in_small_chunks_to_spare_memory():
    core, llama = new_core(n_ctx=500)
    core.add_request(request("x" * 200 + "d", "scored", prompt_logprobs=0))
    run(core)
    assert [len(batch) for batch in llama.batches[:2]] == [MAX_SCORED, 201 - MAX_SCORED]


def test_prompts_are_scored_for_those_who_ask():
    core, _ = new_core()
    core.add_request(request("xa"))
    assert not any(output.prompt_logprobs for output in run(core))


def test_the_same_prompt_is_computed_once_for_all_that_come_together():
    core, llama = new_core(slots=3, n_ctx=400)
    prompt = "x" * 100 + "a"
    for name in ("p", "q", "r"):
        core.add_request(request(prompt, name))
    outputs = run(core)
    assert {text(outputs, name) for name in ("p", "q", "r")} == {"bcde"}
    computed = sum(token == "x" for batch in llama.batches for _, token in batch)
    assert computed == 100
    cached = [output.usage.cached_tokens for output in outputs if output.usage]
    assert sorted(cached) == [0, 100, 100]


def test_others_pass_a_sequence_that_waits_for_a_prefix():
    core, llama = new_core(slots=3, n_ctx=400, n_batch=64)
    for prompt, name in (("x" * 100 + "a", "p"), ("x" * 100 + "b", "q"), ("yc", "r")):
        core.add_request(request(prompt, name))
    core.step()
    assert {slot for batch in llama.batches for slot, _ in batch} <= {0, 1}
    assert core.stats.waiting == 1
    assert text(run(core), "q") == "cde"


def test_a_prefix_whose_sequence_is_aborted_is_computed_by_the_next():
    core, _ = new_core(slots=2, n_ctx=400, n_batch=64)
    for name in ("p", "q"):
        core.add_request(request("x" * 100 + "a", name))
    core.step()
    core.abort_request("p")
    assert text(run(core), "q") == "bcde"


def test_out_of_cells_the_youngest_waits_until_there_is_room():
    core, _ = new_core(slots=4, max_cells=40, n_seq_max=4)
    for name, prompt in {"p": "x" * 14 + "a", "q": "y" * 14 + "a", "r": "z" * 9 + "d"}.items():
        core.add_request(request(prompt, name))
    outputs = run(core)
    assert [text(outputs, name) for name in "pqr"] == ["bcde", "bcde", "e"]
    assert all(output.failure is None for output in outputs)


def test_out_of_cells_idle_sequences_go_first_and_come_back():
    core, _ = new_core(slots=4, max_cells=120, n_ctx=120)
    first = "x" * 60 + "d"
    core.add_request(request(first, "p"))
    run(core)
    core.add_request(request("y" * 80 + "d", "q"))
    assert text(run(core), "q") == "e"
    core.add_request(request(first + "ed", "r"))
    outputs = run(core)
    assert (text(outputs, "r"), outputs[-1].usage.cached_tokens) == ("e", len(first) + 1)


def test_a_sequence_that_cannot_fit_at_all_fails():
    core, _ = new_core(slots=2, max_cells=10)
    core.add_request(request("x" * 20 + "d"))
    outputs = run(core)
    assert outputs[-1].failure.code is FailureCode.DECODE_FAILED
    assert "no room" in outputs[-1].failure.message
