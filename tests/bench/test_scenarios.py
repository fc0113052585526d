"""What the scenarios send, and what they make of the answers."""

from dataclasses import replace

import pytest

from inference.bench.client import Address, BenchError, Timing
from inference.bench.load import Workload, intrude
from inference.bench.scenarios import SCENARIOS
from inference.bench.scenarios.base import Case, Options, Server
from inference.bench.scenarios.conversations import Conversation, figures_of
from inference.bench.scenarios.speculative import copying, stream_speed
from inference.bench.scenarios.structured import structured

TINY = Options(
    clients=(2,),
    requests=1,
    prompt_words=5,
    max_tokens=8,
    system_words=20,
    intruder_words=30,
    stream_tokens=300,
    conversations=3,
    turns=2,
)


@pytest.fixture
def demo(server):
    return Server("demo", Address(f"{server.base_url}/", "demo"))


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_every_scenario_has_a_figure_for_each_of_its_columns(demo, scenario):
    for number, case in enumerate(scenario.cases(TINY)):
        figures = scenario.measure(demo, case, TINY, seed=1_000_000 * (number + 7))
        assert set(figures) == {column.key for column in scenario.columns}
        assert any(figures.values())


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("throughput", ["1 client", "4 clients", "8 clients", "16 clients"]),
        ("shared-prefix", ["8 clients"]),
        ("intruder", ["4 clients"]),
        ("conversations", ["24 × 4 turns, 8 clients"]),
        ("speculative", ["copy, 1 client", "free, 1 client", "copy, 4 clients", "free, 4 clients"]),
        ("structured", ["first use, 4 clients", "1 client", "8 clients"]),
    ],
)
def test_cases_by_default(name, labels):
    assert [case.label for case in SCENARIOS[name].cases(Options())] == labels


def test_prompts_are_the_same_for_the_same_seed_only():
    assert Workload(seed=1).prompts(3) == Workload(seed=1).prompts(3)
    assert Workload(seed=1).prompts(3) != Workload(seed=2).prompts(3)
    assert len(Workload(prompt_words=7).prompts(1)[0].split()) == 7


def test_users_share_a_system_prompt_that_changes_with_the_seed(demo):
    scenario = SCENARIOS["shared-prefix"]
    for seed in (5, 6):
        # The second client waits for the first one's prefix: half of all prompts, but for what each says itself.
        cached = scenario.measure(demo, Case(2), replace(TINY, system_words=120), seed)["cached"]
        assert 30 < cached < 50


def test_conversations_find_again_what_was_computed_before(demo):
    figures = SCENARIOS["conversations"].measure(demo, Case(2), TINY, 10)
    assert figures["reused"] > 50
    assert 0 < figures["first_token_mean"] <= figures["first_token_p95"] * len("123")


def test_reusable_is_what_the_turn_before_has_computed():
    turns = [Timing(0, [0.5], "", 10, 4, 0), Timing(0, [0.1], "", 30, 5, 14), Timing(0, [0.3], "", 33, 5, 20)]
    conversation = Conversation(["a", "b", "c"], turns=turns)
    assert conversation.reusable == [14, 33]
    figures = figures_of([conversation])
    assert figures["reused"] == pytest.approx(100 * 34 / 47)
    assert (figures["first_token_mean"], figures["first_token_p95"]) == (pytest.approx(0.2), 0.3)


def test_a_stream_that_is_too_short_for_the_intruder_is_an_error(demo):
    short, long = Workload(5, 8, seed=21), Workload(200, 4, seed=22)
    with pytest.raises(BenchError, match="--stream-tokens"):
        intrude(demo.address, short.bodies(2), long.bodies(1)[0])


def test_an_intruder_that_fails_ends_the_streams(server, demo):
    with pytest.raises(BenchError, match="max_tokens"):
        intrude(demo.address, Workload(5, 1500, seed=23).bodies(2), {"messages": [], "max_tokens": "x"})
    server.wait_for("running == 0")


def test_no_answer_that_fits_the_schema_is_too_short(demo):
    [timing] = demo.run(structured(Workload(5, 40)), 1, 1).timings
    assert timing.completion_tokens == 40


def test_a_schema_is_new_for_every_seed():
    assert structured(Workload(seed=1)).schema != structured(Workload(seed=2)).schema


def test_copying_asks_for_the_text_at_temperature_0():
    [body] = copying(Workload(prompt_words=5, seed=3), 1)
    assert body["messages"][0]["content"].endswith(Workload(prompt_words=5, seed=3).prompts(1)[0])
    assert body["temperature"] == 0


def test_the_speed_of_a_stream_leaves_out_its_first_token():
    assert stream_speed(Timing(0, [1.0, 1.5, 3.0], completion_tokens=9)) == 4
    assert stream_speed(Timing(0, [1.0], completion_tokens=9)) == 0
    assert stream_speed(Timing(0, [], completion_tokens=9)) == 0
