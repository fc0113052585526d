"""Scheduler: who comes next, and what a step computes."""

import pytest

from inference.engine.entry import Entry
from inference.engine.messages import GenerateRequest, SamplingParams
from inference.engine.scheduler import Chunk, Scheduler
from inference.engine.sequence import Sequence
from inference.engine.sequence_queue import PATIENCE
from inference.engine.step_budget import FIRST_CHUNK, StepBudget


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler(clock):
    return Scheduler(max_running=2, budget=StepBudget(0.2, n_batch=512), clock=clock)


def sequence(name: str, client: str = "", length: int = 10, priority: int = 1) -> Sequence:
    request = GenerateRequest(name, "", SamplingParams(), client=client, priority=priority)
    return Sequence(request, list(range(length)), sampler=None, n_ctx=10_000, markers={})


def start(scheduler: Scheduler, each: Sequence, slot: int = 0, is_computed: bool = False) -> None:
    scheduler.start(each)
    each.entry = Entry(each.tokens, slot, holder=each)
    if is_computed:
        each.num_computed = len(each.tokens)
        each.tokens.append(1)


def order(scheduler: Scheduler) -> str:
    """Return the names of the waiting sequences in the order in which they would start, each ending at once."""
    names = ""
    while following := scheduler.next_waiting(lambda each: True):
        scheduler.waiting.remove(following)
        names += following.id
    return names


def test_first_come_first_served(scheduler, clock):
    for clock.now, name in enumerate("abc"):
        scheduler.add(sequence(name))
    assert order(scheduler) == "abc"


def test_nobody_starts_beyond_the_limit(scheduler):
    for name in "abc":
        scheduler.add(sequence(name))
    for slot, each in enumerate(scheduler.waiting[:2]):
        start(scheduler, each, slot)
    assert scheduler.next_waiting(lambda each: True) is None


def test_who_is_not_ready_lets_others_pass(scheduler):
    for name in "ab":
        scheduler.add(sequence(name))
    assert scheduler.next_waiting(lambda each: each.id == "b").id == "b"
    assert scheduler.next_waiting(lambda each: False) is None


def test_a_client_with_many_requests_does_not_keep_out_another(scheduler, clock):
    for clock.now, name in enumerate("abcd"):
        scheduler.add(sequence(name, client="greedy"))
    scheduler.add(sequence("z", client="modest"))
    start(scheduler, scheduler.waiting[0])
    assert order(scheduler).startswith("zb")


def test_nobody_waits_for_ever(scheduler, clock):
    scheduler.add(sequence("a", client="greedy"))
    scheduler.add(sequence("b", client="greedy"))
    start(scheduler, scheduler.waiting[0])
    clock.now = PATIENCE + 1
    scheduler.add(sequence("z", client="modest"))
    assert order(scheduler) == "bz"


def test_a_higher_priority_goes_first(scheduler, clock):
    for clock.now, (name, priority) in enumerate([("a", 0), ("b", 1), ("c", 2), ("d", 1), ("e", 2)]):
        scheduler.add(sequence(name, priority=priority))
    assert order(scheduler) == "cebda"


def test_among_the_same_priority_clients_share(scheduler, clock):
    for clock.now, name in enumerate("ab"):
        scheduler.add(sequence(name, client="greedy", priority=2))
    scheduler.add(sequence("y", client="modest", priority=2))
    scheduler.add(sequence("z", client="other"))
    start(scheduler, scheduler.waiting[0])
    assert order(scheduler) == "ybz"


def test_a_low_priority_does_not_wait_for_ever(scheduler, clock):
    scheduler.add(sequence("low", priority=0))
    clock.now = 1.0
    scheduler.add(sequence("early", priority=2))
    clock.now = PATIENCE
    scheduler.add(sequence("high", priority=2))
    assert scheduler.next_waiting(lambda each: True).id == "low"
    clock.now = PATIENCE + 1
    assert [scheduler.next_waiting(lambda each, name=name: each.id != name).id for name in ("low", "early")] == [
        "early",
        "low",
    ]


def test_a_short_prompt_is_not_stuck_behind_a_long_one(scheduler, clock):
    for slot, (clock.now, name, length) in enumerate([(0.0, "long", 5000), (1.0, "short", 100)]):
        scheduler.add(sequence(name, length=length))
        start(scheduler, scheduler.waiting[0], slot)
    clock.now = 1.5
    chunks = scheduler.schedule()
    assert parts(chunks) == [("short", 100)]


@pytest.mark.parametrize(("length", "expected"), [(600, [("first", 500)]), (10, [("first", 500), ("second", 10)])])
def test_a_part_that_would_be_too_small_waits_for_the_next_step(clock, length, expected):
    scheduler = Scheduler(2, StepBudget(0.2, n_batch=512), mixes_lengths=True, clock=clock)
    for slot, (name, tokens) in enumerate([("first", 500), ("second", length)]):
        scheduler.add(sequence(name, length=tokens))
        start(scheduler, scheduler.waiting[0], slot)
    clock.now = 1.0
    scheduler.running[0].queued_at = -1000.0
    assert parts(scheduler.schedule()) == expected


def test_a_long_prompt_has_its_turn_among_short_ones(scheduler, clock):
    scheduler.add(sequence("long", length=5000))
    start(scheduler, scheduler.waiting[0], 0)
    clock.now = 600.0
    scheduler.add(sequence("short", length=1000))
    start(scheduler, scheduler.waiting[0], 1)
    clock.now = 601.0
    assert [chunk.sequence.id for chunk in scheduler.schedule()] == ["long"]


def stream_and_prompt(scheduler: Scheduler, length: int = 1000) -> None:
    for slot, name in enumerate("ab"):
        scheduler.add(sequence(name, length=length))
        start(scheduler, scheduler.waiting[0], slot, is_computed=name == "a")


def parts(chunks: list[Chunk]) -> list[tuple[str, int]]:
    return [(chunk.sequence.id, chunk.num_tokens) for chunk in chunks]


def compute(chunks: list[Chunk]) -> None:
    for chunk in chunks:
        chunk.sequence.num_computed += chunk.num_tokens
        if not chunk.sequence.num_remaining:
            chunk.sequence.tokens.append(1)


def test_streams_and_prompts_share_a_step_where_they_are_computed_together(clock):
    scheduler = Scheduler(2, StepBudget(0.2, n_batch=512), mixes_lengths=True, clock=clock)
    stream_and_prompt(scheduler)
    for _ in range(2):
        assert parts(scheduler.schedule()) == [("a", 1), ("b", FIRST_CHUNK)]


def test_else_they_take_turns(scheduler):
    stream_and_prompt(scheduler)
    steps = []
    for _ in range(4):
        chunks = scheduler.schedule()
        steps.append(parts(chunks))
        compute(chunks)
    prompt, stream = [("b", FIRST_CHUNK)], [("a", 1)]
    assert steps == [prompt, stream, prompt, stream]


STREAM = (500, 500)


@pytest.mark.parametrize(
    ("slots", "going"),
    [
        ([STREAM, (400, 900)], [0]),
        ([STREAM, STREAM, (400, 900)], [0, 1]),
        ([STREAM, STREAM, STREAM, (400, 900), (300, 900)], [0, 1, 2, 3]),  # an even number of rows
        ([STREAM, STREAM, STREAM, (600, 900)], [0, 1, 2]),  # the others would have to attend as far
        ([STREAM, STREAM, STREAM, (600, 900), (400, 900)], [0, 1, 2]),  # a gap would cost more than it gains
        ([STREAM, (600, 900), STREAM], [0, 1, 2]),  # and so it would between streams
        ([STREAM, (600, 900), STREAM, (400, 900)], [0, 1, 2, 3]),
    ],
)
def test_a_prompt_goes_on_by_a_token_beside_streams_where_that_costs_little(clock, slots, going):
    """slots: how many tokens of each prompt are computed, and how many it has."""
    scheduler = Scheduler(len(slots), StepBudget(0.2, n_batch=512), clock=clock)
    for slot, (computed, length) in enumerate(slots):
        each = sequence(str(slot), length=length)
        scheduler.add(each)
        start(scheduler, each, slot, is_computed=computed == length)
        each.num_computed = computed
    assert all(chunk.is_prompt for chunk in scheduler.schedule())
    assert [chunk.sequence.slot for chunk in scheduler.schedule()] == going


def test_a_prompt_begins_at_once_after_steps_without_any(scheduler):
    scheduler.add(sequence("a"))
    start(scheduler, scheduler.waiting[0], is_computed=True)
    for _ in range(3):
        compute(scheduler.schedule())
    scheduler.add(sequence("b", length=50))
    start(scheduler, scheduler.waiting[0], 1)
    chunks = scheduler.schedule()
    assert parts(chunks) == [("b", 50)]
    compute(chunks)
    assert parts(scheduler.schedule()) == [("a", 1), ("b", 1)]


def prompts_and_stream(scheduler: Scheduler, lengths: list[int]) -> None:
    """Let a stream run, and prompts named by their lengths, which came one second after the other."""
    for slot, length in enumerate([10, *lengths]):
        each = sequence(str(length), length=length)
        scheduler.add(each)
        start(scheduler, each, slot, is_computed=slot == 0)
        each.queued_at = -1000.0 + slot


def steps_of(scheduler: Scheduler, count: int) -> list[list[tuple[str, int]]]:
    steps = []
    for _ in range(count):
        chunks = scheduler.schedule()
        steps.append(parts(chunks))
        compute(chunks)
    return steps


def measured(scheduler: Scheduler, decode_seconds: float, token_seconds: float) -> Scheduler:
    for _ in range(10):
        scheduler.budget.observe(1, 0, decode_seconds)
        scheduler.budget.observe(0, 100, 100 * token_seconds)
    return scheduler


def test_a_turn_of_prompts_computes_one_after_the_other_until_its_time_is_up(clock):
    """The time has room for 190 tokens. Each prompt has its first token at the end of its own step."""
    scheduler = measured(Scheduler(9, StepBudget(0.2, n_batch=512), clock=clock), 0.01, 0.001)
    prompts_and_stream(scheduler, [60, 70, 80])
    turns = steps_of(scheduler, 6)
    assert turns[:3] == [[("60", 60)], [("70", 70)], [("80", 60)]]
    assert turns[3] == [("10", 1), ("60", 1), ("70", 1), ("80", 1)]
    assert turns[4:] == [[("80", 19)], [("10", 1), ("60", 1), ("70", 1), ("80", 1)]]


def test_a_turn_does_not_end_with_a_part_that_is_too_small(clock):
    scheduler = measured(Scheduler(9, StepBudget(0.2, n_batch=512), clock=clock), 0.01, 0.001)
    prompts_and_stream(scheduler, [160, 170])
    assert [[name for name, _ in step] for step in steps_of(scheduler, 4)] == [
        ["160"], ["10", "160"], ["170"], ["10", "160", "170"]
    ]  # fmt: skip


def test_prompts_that_cost_less_than_the_weights_go_together(clock):
    """A step of one stream takes as long as 100 tokens of prompts."""
    scheduler = measured(Scheduler(9, StepBudget(0.5, n_batch=512), clock=clock), 0.101, 0.001)
    prompts_and_stream(scheduler, [50, 20, 60, 30])
    assert [sorted(step) for step in steps_of(scheduler, 2)] == [[("20", 20), ("30", 30), ("50", 50)], [("60", 60)]]


def test_those_who_began_alone_do_not_make_others_wait(clock):
    """Without a stream the first prompt may take a second; once it is one itself, its next token comes in time."""
    scheduler = measured(Scheduler(9, StepBudget(0.2, n_batch=512), clock=clock), 0.01, 0.001)
    prompts_and_stream(scheduler, [400, 410])
    scheduler.remove(scheduler.running[0])
    steps = steps_of(scheduler, 4)
    assert steps[0] == [("400", 400)]
    assert [sorted(name for name, _ in step) for step in steps[1:3]] == [["400"], ["410"]]
    assert steps[2][0][1] <= 190


def test_prompts_without_streams_do_not_wait_for_a_turn(scheduler):
    scheduler.add(sequence("a", length=1000))
    start(scheduler, scheduler.waiting[0])
    steps = []
    for _ in range(2):
        chunks = scheduler.schedule()
        steps.append(parts(chunks))
        compute(chunks)
    assert steps == [[("a", 512)], [("a", 488)]]


@pytest.mark.parametrize("mixes_lengths", [False, True])
def test_it_learns_from_both_kinds_of_steps(clock, mixes_lengths):
    """A turn of the streams, or a step that is one pass, takes 30 ms a stream and 1 ms a token of a prompt."""
    scheduler = Scheduler(2, StepBudget(0.2, n_batch=512), mixes_lengths, clock)
    stream_and_prompt(scheduler, length=10_000)
    scheduler.observe([Chunk(scheduler.running[0], 1)], 0.03)
    for _ in range(30):
        chunks = scheduler.schedule()
        num_prompt = sum(chunk.num_tokens for chunk in chunks if chunk.is_prompt)
        scheduler.observe(chunks, 0.03 * (len(chunks) - (num_prompt > 0)) + 0.001 * num_prompt)
        compute(chunks)
    assert scheduler.budget.decode_seconds(1) == pytest.approx(0.03, rel=0.05)
    assert scheduler.budget.prefill_seconds(100) == pytest.approx(0.1, rel=0.1)


def test_a_chunk_ends_where_a_checkpoint_is_wanted(scheduler):
    scheduler.add(sequence("a", length=100))
    start(scheduler, scheduler.waiting[0])
    scheduler.running[0].cuts = {40, 84}
    assert [chunk.num_tokens for chunk in scheduler.schedule()] == [40]
    scheduler.running[0].num_computed = 40
    assert [chunk.num_tokens for chunk in scheduler.schedule()] == [44]


def test_who_is_sent_back_waits_for_another_one_to_end(scheduler, clock):
    for slot, (clock.now, name) in enumerate([(0.0, "a"), (1.0, "b")]):
        scheduler.add(sequence(name))
        start(scheduler, scheduler.waiting[0], slot)
    clock.now = 2.0
    scheduler.add(sequence("c"))
    first, second = scheduler.running
    scheduler.send_back(second)
    assert scheduler.next_waiting(lambda each: True) is None
    scheduler.remove(first)
    assert order(scheduler) == "bc"
