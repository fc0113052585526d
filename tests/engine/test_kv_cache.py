"""KVCache: how much of a prompt a sequence finds computed, and where that came from."""

import pytest

from inference.engine.kv_cache import TAIL, KVCache
from inference.engine.prefix_index import MIN_REUSE
from inference.engine.slots import compacting_move
from tests.engine.fake_llama import FakeLlama

MEGABYTE = 10**6


class Runner:
    """A sequence that computes what it is told to."""

    def __init__(self, tokens: list[int]) -> None:
        self.tokens = tokens
        self.num_prompt = len(tokens)
        self.num_computed = 0
        self.cuts: set[int] = set()
        self.entry = None

    @property
    def prefix(self) -> list[int]:
        return self.tokens


class Bench:
    """A cache on a fake llama, whose cells are filled without decoding."""

    def __init__(self, slots: int, host_bytes: int = MEGABYTE, can_rewind: bool = True, **settings: object) -> None:
        self.llama = FakeLlama(slots, can_rewind)
        self.cache = KVCache(self.llama, slots, host_bytes, clock=lambda: 0.0, **settings)

    def start(self, tokens: list[int]) -> Runner:
        runner = Runner(list(tokens))
        runner.num_computed = self.cache.acquire(runner)
        assert self.llama.cells[runner.entry.slot] == runner.tokens[: runner.num_computed], "the cells are the prefix's"
        assert self.llama.states[runner.entry.slot] == runner.tokens[: runner.num_computed]
        return runner

    def compute(self, runner: Runner, length: int | None = None) -> None:
        """Compute up to a length, all by default, with a checkpoint wherever one is wanted."""
        end = len(runner.tokens) if length is None else length
        for position in range(runner.num_computed, end):
            self.llama.cells[runner.entry.slot].append(runner.tokens[position])
            self.llama.states[runner.entry.slot].append(runner.tokens[position])
            runner.num_computed = position + 1
            if runner.num_computed in runner.cuts:
                self.cache.checkpoint(runner)

    def run(self, tokens: list[int]) -> int:
        """Run a sequence to its end; return how much of it was cached."""
        runner = self.start(tokens)
        cached = runner.num_computed
        self.compute(runner)
        self.cache.release(runner)
        return cached


def conversation(number: int, length: int = 100) -> list[int]:
    return [1000 * number + position for position in range(length)]


def test_an_empty_cache_has_nothing():
    assert Bench(2).run(conversation(1)) == 0


def test_the_next_turn_finds_all_of_the_last_one():
    bench = Bench(2)
    bench.run(conversation(1))
    assert bench.run([*conversation(1), 7, 8]) == 100


def test_the_last_prompt_token_is_always_left_to_compute():
    bench = Bench(2)
    bench.run(conversation(1))
    assert bench.run(conversation(1)) == 99


def test_conversations_keep_their_slots_while_there_are_enough():
    bench = Bench(3)
    for number in (1, 2, 3):
        bench.run(conversation(number))
    assert [bench.run([*conversation(number), 9]) for number in (2, 1, 3)] == [100, 100, 100]
    assert bench.llama.num_copies == 0


def test_a_conversation_that_lost_its_slot_comes_back():
    bench = Bench(2)
    for number in range(1, 7):
        bench.run(conversation(number))
    assert [bench.run([*conversation(number), 9]) for number in range(1, 7)] == [100] * 6


def test_without_a_budget_it_is_lost():
    bench = Bench(1, host_bytes=0)
    bench.run(conversation(1))
    bench.run(conversation(2))
    assert bench.run([*conversation(1), 9]) == 0
    assert bench.cache.num_saved_bytes == 0


def test_the_budget_is_kept():
    bench = Bench(1, host_bytes=1000)
    for number in range(1, 20):
        bench.run(conversation(number))
        assert bench.cache.num_saved_bytes <= 1000
    assert bench.run([*conversation(18), 9]) == 100
    assert bench.run([*conversation(3), 9]) == 0


def test_what_came_back_outlives_what_never_does():
    bench = Bench(1, host_bytes=1400)
    for turn in range(3):
        bench.run([*conversation(1), *range(turn)])
        bench.run(conversation(2))
    for title in range(10, 14):
        bench.run(conversation(title))
    assert bench.run([*conversation(1), 0, 1, 2]) == 102


def test_a_short_request_takes_the_slot_of_a_short_one():
    bench = Bench(3, host_bytes=0)
    bench.run(conversation(1, 500))
    bench.run(conversation(2, 40))
    bench.run(conversation(3, 500))
    bench.run(conversation(4, 40))
    assert [bench.run([*conversation(number, 500), 9]) for number in (1, 3)] == [500, 500]


def test_a_shared_beginning_is_copied_and_the_old_conversation_kept():
    bench = Bench(2)
    system = conversation(5, 60)
    bench.run([*system, *conversation(1)])
    assert bench.run([*system, *conversation(2)]) == 60
    assert bench.run([*system, *conversation(1), 9]) == 160


def test_a_shared_beginning_survives_in_a_single_slot():
    bench = Bench(1)
    system = conversation(5, 60)
    bench.run([*system, *conversation(1)])
    assert bench.run([*system, *conversation(2)]) == 60
    assert bench.run([*system, *conversation(1), 9]) == 160


def test_a_short_shared_beginning_is_not_copied():
    bench = Bench(2)
    bench.run([1, 2, *conversation(1)])
    assert bench.run([1, 2, *conversation(2)]) == 0
    assert bench.llama.num_copies == 0


def test_copying_must_be_quicker_than_computing():
    bench = Bench(2, prefill_seconds=lambda num_tokens: 0.0)
    system = conversation(5, 60)
    bench.run([*system, *conversation(1)])
    assert bench.run([*system, *conversation(2)]) == 0


def test_what_a_running_sequence_has_computed_is_copied():
    bench = Bench(2)
    first = bench.start(conversation(1))
    bench.compute(first)
    assert bench.run([*conversation(1), 9]) == 100


def test_a_prefix_that_is_being_computed_is_worth_waiting_for():
    bench = Bench(2)
    first = bench.start(conversation(1))
    promise = bench.cache.promise([*conversation(1), 9])
    assert promise.length == 100
    assert promise.is_open
    bench.compute(first)
    assert not promise.is_open
    assert bench.cache.promise([*conversation(1), 9]) is None
    assert bench.cache.promise(conversation(2)) is None


def test_a_promise_ends_with_its_sequence():
    bench = Bench(2)
    first = bench.start(conversation(1))
    promise = bench.cache.promise([*conversation(1), 9])
    bench.cache.release(first)
    assert not promise.is_open


def test_a_slot_that_holds_nothing_is_empty_again():
    bench = Bench(1)
    bench.cache.release(bench.start(conversation(1)))
    assert bench.cache.num_tokens == 0
    assert bench.run(conversation(1)) == 0


def test_recurrent_memory_continues_where_it_ended():
    bench = Bench(2, can_rewind=False)
    bench.run(conversation(1))
    assert bench.run([*conversation(1), 9]) == 100


def test_recurrent_memory_goes_back_to_the_end_of_the_prompt():
    bench = Bench(2, can_rewind=False)
    runner = bench.start(conversation(1))
    bench.compute(runner)
    runner.tokens += [7, 8, 9]  # the answer, which the next turn renders in another way
    bench.compute(runner)
    bench.cache.release(runner)
    assert bench.run([*conversation(1), 50, 51]) == 100 - TAIL


def test_recurrent_memory_learns_where_prompts_part():
    bench = Bench(4, can_rewind=False)
    system = conversation(5, 60)
    assert bench.run([*system, *conversation(1)]) == 0
    assert bench.run([*system, *conversation(2)]) == 0
    assert bench.run([*system, *conversation(3)]) == 60
    assert bench.run([*system, *conversation(1), 9]) == 160


def test_recurrent_memory_is_shared_with_those_who_wait():
    bench = Bench(3, can_rewind=False)
    first = bench.start([*conversation(5, 60), *conversation(1)])
    second = [*conversation(5, 60), *conversation(2)]
    assert bench.cache.promise(second).length == 60
    bench.compute(first)
    assert bench.run(second) == 60


def test_checkpoints_survive_a_lost_slot():
    bench = Bench(1, can_rewind=False)
    runner = bench.start(conversation(1))
    bench.compute(runner)
    runner.tokens += [7, 8, 9]
    bench.compute(runner)
    bench.cache.release(runner)
    bench.run(conversation(2))
    assert bench.run([*conversation(1), 50, 51]) == 100 - TAIL


def test_checkpoints_keep_to_the_budget_and_to_a_number():
    bench = Bench(1, can_rewind=False, host_bytes=10_000)
    tokens = conversation(1, 50)
    for turn in range(12):
        bench.run(tokens)
        tokens = [*tokens, *conversation(50 + turn, 50)]
        assert bench.cache.num_saved_bytes <= 10_000
    bench.run(conversation(2))
    for number in range(3, 30):
        bench.run(conversation(number))
    assert bench.cache.num_saved_bytes <= 10_000


def test_dropping_idle_slots_keeps_what_they_held():
    bench = Bench(2)
    bench.run(conversation(1))
    assert bench.cache.drop_idle()
    assert not bench.cache.drop_idle()
    assert bench.llama.cells == [[], []]
    assert bench.run([*conversation(1), 9]) == 100


@pytest.mark.parametrize(
    ("running", "move"),
    [("", None), ("1", None), ("0110", None), ("1010", (2, 1)), ("10110", (3, 1)), ("1101", (3, 2)), ("1001", (3, 1))],
)
def test_compacting_closes_gaps(running, move):
    assert compacting_move([each == "1" for each in running]) == move


def test_a_moved_sequence_goes_on_and_the_idle_one_takes_its_place():
    bench = Bench(3)
    runners = [bench.start(conversation(number)) for number in (1, 2, 3)]
    for runner in runners:
        bench.compute(runner)
    bench.cache.release(runners[1])
    bench.cache.compact(seconds=1.0)
    assert (runners[0].entry.slot, runners[2].entry.slot) == (0, 1)
    assert bench.llama.cells == [conversation(1), conversation(3), conversation(2)]
    assert bench.run([*conversation(2), 9]) == 100


def test_a_move_that_takes_too_long_is_not_made():
    bench = Bench(3)
    runners = [bench.start(conversation(number)) for number in (1, 2, 3)]
    bench.compute(runners[2])
    bench.cache.release(runners[1])
    bench.cache.compact(seconds=0.0)
    assert runners[2].entry.slot == 2


def test_a_reused_prefix_is_at_least_worth_its_copy():
    bench = Bench(2)
    for length in (MIN_REUSE - 1, MIN_REUSE):
        system = conversation(length, length)
        first = bench.start([*system, *conversation(1)])
        bench.compute(first)
        assert bench.run([*system, *conversation(2)]) == (length if length >= MIN_REUSE else 0)
        bench.cache.release(first)
