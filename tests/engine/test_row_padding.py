"""RowPadding: a row more where that is quicker."""

import pytest

from inference.engine.row_padding import RETRIAL, SAMPLES
from tests.engine.fake_llama import FakeLlama, new_core, request, run, text

FIRST = 0x4E00  # tokens that are letters, whichever way they go on
LENGTH = 120


class PassClock:
    """Seconds that pass with every batch: one, and more for the last row of an odd number."""

    def __init__(self, odd_seconds: float) -> None:
        self.llama: FakeLlama | None = None
        self._odd_seconds = odd_seconds

    def __call__(self) -> float:
        batches = self.llama.batches if self.llama else []
        return sum(1.0 + self._odd_seconds * (len(batch) % 2) for batch in batches)


def stream(
    lengths: list[int], slots: int, odd_seconds: float = 0.5, prompt: str = chr(FIRST), **settings: object
) -> FakeLlama:
    """Let sequences generate so many tokens each, all at once; return the model with its batches."""
    clock = PassClock(odd_seconds)
    core, clock.llama = new_core(slots, clock=clock, **{"n_ctx": 1000, **settings})
    for number, length in enumerate(lengths):
        core.add_request(request(prompt, str(number), max_tokens=length))
    outputs = run(core)
    for number, length in enumerate(lengths):
        expected = "".join(chr(ord(prompt[-1]) + 1 + step) for step in range(length))
        assert text(outputs, str(number)) == expected
    return clock.llama


def rows(llama: FakeLlama) -> list[int]:
    return [len(batch) for batch in llama.batches]


def test_a_row_more_joins_where_it_saves_time():
    llama = stream([LENGTH] * 3, slots=4)
    assert rows(llama)[: 2 * SAMPLES] == [3, 4] * SAMPLES
    after = rows(llama)[2 * SAMPLES :]
    assert after == [3 if (step + 1) % RETRIAL == 0 else 4 for step in range(LENGTH - 2 * SAMPLES)]
    assert llama.cells[3] == []


def test_it_stays_away_where_it_does_not():
    llama = stream([LENGTH] * 3, slots=4, odd_seconds=0.0)
    after = rows(llama)[2 * SAMPLES :]
    assert after == [4 if (step + 1) % RETRIAL == 0 else 3 for step in range(LENGTH - 2 * SAMPLES)]


def test_the_slot_before_the_others_will_do_and_keeps_what_it_holds():
    llama = stream([1, LENGTH, LENGTH, LENGTH], slots=4)
    padded = [batch for batch in llama.batches[1:] if len(batch) == 4]
    assert len(padded) > LENGTH / 2
    assert all([slot for slot, _ in batch] == [0, 1, 2, 3] for batch in padded)
    assert llama.cells[0] == [FIRST]


@pytest.mark.parametrize(("count", "slots"), [(1, 4), (2, 4), (4, 8), (3, 3)])
def test_nothing_is_tried_with_an_even_number_or_a_single_one_or_without_a_slot(count, slots):
    assert rows(stream([LENGTH] * count, slots)) == [count] * LENGTH


def test_a_full_batch_has_no_room():
    assert max(rows(stream([LENGTH] * 3, slots=4, n_batch=3))) == 3


def test_a_slot_that_is_much_fuller_is_left_alone():
    clock = PassClock(0.5)
    core, clock.llama = new_core(4, clock=clock, n_ctx=1000)
    core.add_request(request("x" * 900, "long", max_tokens=1))
    run(core)
    for name in "pqr":
        core.add_request(request(chr(FIRST), name, max_tokens=LENGTH))
    run(core)
    assert 900 in map(len, clock.llama.cells)
    beside = [batch for batch in clock.llama.batches if len(batch) == 4]
    assert all(("x" not in char for _, char in batch) for batch in beside)
    assert all(len(clock.llama.cells[slot]) < 900 for batch in beside for slot, _ in batch)


def test_recurrent_memory_could_not_take_the_token_back():
    assert set(rows(stream([LENGTH] * 3, slots=4, can_rewind=False))) == {3}


def test_a_unified_cache_takes_any_slot():
    assert 4 in rows(stream([LENGTH] * 3, slots=4, max_cells=2000))


def test_a_prompt_beside_the_streams_has_its_logits_computed():
    """Its row is there anyway: whether it has logits is what makes their number even."""
    clock = PassClock(0.5)
    core, clock.llama = new_core(4, clock=clock, n_ctx=20_000, step_target_ms=1)
    wanted = []
    decode = clock.llama.decode

    def counting(batch):
        if batch.seq_id[: batch.num_tokens].tolist() == [0, 1, 2, 3]:
            wanted.append(int(batch.logits[: batch.num_tokens].sum()))
        decode(batch)

    clock.llama.decode = counting
    for name in "pqr":
        core.add_request(request("y" * 9_999 + chr(FIRST), name, max_tokens=LENGTH))
    while not core.step():
        pass
    core.add_request(request("x" * 9_000 + "d", "long", max_tokens=1))
    outputs = run(core)
    assert text(outputs, "long") == "e"
    assert wanted[: 2 * SAMPLES] == [3, 4] * SAMPLES
