"""SpeculationPolicy: on where drafts pay, off where they do not, and little lost on finding out."""

import random
from collections.abc import Callable

import pytest

from inference.engine.line import Line
from inference.engine.prompt_lookup import PromptLookup
from inference.engine.speculation import SpeculationPolicy, evened

NUM_TOKENS = 3000
StepTime = Callable[[list[int]], float]  # seconds of a step with so many drafted tokens for each decoding sequence


def on_cores(drafts: list[int]) -> float:
    """A small model on two cores; drafts of some sequences only are a second pass over the weights."""
    return 0.0049 + 0.0044 * (len(drafts) + sum(drafts)) + (0.0049 if len(set(drafts)) > 1 else 0)


def on_pairs_of_rows(drafts: list[int]) -> float:
    """Two cores with AVX2: two rows take twice as long as one, more hardly more, and a last odd one as long again."""
    rows = len(drafts) + sum(drafts)
    return 0.0125 if rows == 1 else 0.021 + 0.0027 * rows + 0.015 * (rows % 2)


def on_many_cores(drafts: list[int]) -> float:
    return 0.017 + 0.0035 * (len(drafts) + sum(drafts)) + (0.015 if len(set(drafts)) > 1 else 0)


def on_a_gpu(drafts: list[int]) -> float:
    return 0.010 + 0.00002 * (len(drafts) + sum(drafts))


class Wrong:
    """Always has a draft, and never a right one."""

    def propose(self, tokens: list[int], most: int) -> list[int]:
        return [-1] * most


class Text:
    """A sequence whose answer is known beforehand."""

    def __init__(self, prompt: list[int], answer: list[int], drafter: PromptLookup) -> None:
        self.tokens = list(prompt)
        self._answer = answer
        self._drafter = drafter
        self._num_prompt = len(prompt)
        self.num_drafted = 0

    @property
    def is_done(self) -> bool:
        return self._position >= len(self._answer)

    @property
    def _position(self) -> int:
        return len(self.tokens) - self._num_prompt

    def draft(self, most: int) -> list[int]:
        return self._drafter.propose(self.tokens, most)

    def verify(self, draft: list[int]) -> int:
        """Generate one token and those of the draft that are right; return how many these are."""
        self.num_drafted += len(draft)
        rest = self._answer[self._position :]
        num_right = next((count for count, token in enumerate(draft) if rest[count : count + 1] != [token]), len(draft))
        self.tokens += rest[: num_right + 1]
        return num_right


def vocabulary(seed: int, count: int) -> list[int]:
    draw = random.Random(seed)
    return [min(int(draw.paretovariate(0.7)), 100_000) for _ in range(count)]


def copied(seed: int, drafter: PromptLookup) -> Text:
    """A text that repeats its prompt, and after some 80 tokens adds, leaves out or changes a few."""
    draw = random.Random(seed)
    prompt = vocabulary(seed, 1500)
    answer, position = [], 0
    while len(answer) < NUM_TOKENS:
        length = int(draw.expovariate(1 / 80)) + 1
        answer += prompt[position : position + length] + vocabulary(draw.randrange(10**6), draw.randrange(3))
        position = (position + length + draw.randrange(3)) % len(prompt)
    return Text(prompt, answer[:NUM_TOKENS], drafter)


def free(seed: int, drafter: PromptLookup) -> Text:
    return Text(vocabulary(seed, 1000), vocabulary(seed + 1000, NUM_TOKENS), drafter)


def generate(texts: list[Text], step_time: StepTime, policy: SpeculationPolicy) -> float:
    """Return how many times as fast as without drafts the texts are generated; each step is disturbed a little."""
    noise = random.Random(1)
    seconds = 0.0
    while any(not text.is_done for text in texts):
        running = [text for text in texts if not text.is_done]
        most = policy.budget(len(running))
        drafts = policy.fit([text.draft(most) for text in running])
        taken = step_time([len(draft) for draft in drafts]) * noise.uniform(0.9, 1.1)
        results = [(len(draft), text.verify(draft)) for text, draft in zip(running, drafts, strict=True)]
        policy.observe(len(running), taken, [(drafted, right) for drafted, right in results if drafted])
        seconds += taken
    return NUM_TOKENS * step_time([0] * len(texts)) / seconds


def share_drafted(texts: list[Text]) -> float:
    return sum(text.num_drafted for text in texts) / (NUM_TOKENS * len(texts))


@pytest.mark.parametrize("step_time", [on_cores, on_pairs_of_rows, on_many_cores, on_a_gpu])
def test_a_copied_text_is_much_faster(step_time):
    assert generate([copied(1, PromptLookup())], step_time, SpeculationPolicy(31)) > 1.5


@pytest.mark.parametrize("num_sequences", [2, 4, 8])
def test_copied_texts_together_are_faster_where_tokens_are_cheap(num_sequences):
    texts = [copied(number, PromptLookup()) for number in range(num_sequences)]
    assert generate(texts, on_a_gpu, SpeculationPolicy(31)) > 3


@pytest.mark.parametrize("num_sequences", [1, 4, 8])
@pytest.mark.parametrize("step_time", [on_cores, on_many_cores, on_a_gpu])
def test_drafts_that_are_never_right_cost_little(step_time, num_sequences):
    texts = [free(number, Wrong()) for number in range(num_sequences)]
    assert generate(texts, step_time, SpeculationPolicy(31)) > 0.97


@pytest.mark.parametrize("num_sequences", [1, 4])
def test_a_text_with_nothing_to_copy_gets_hardly_any_drafts(num_sequences):
    texts = [free(number, PromptLookup()) for number in range(num_sequences)]
    assert generate(texts, on_cores, SpeculationPolicy(31)) > 0.98
    assert share_drafted(texts) < 0.02


@pytest.mark.parametrize("num_sequences", [4, 8])
def test_nothing_is_lost_where_many_sequences_make_drafts_a_loss(num_sequences):
    texts = [copied(number, PromptLookup()) for number in range(num_sequences)]
    assert generate(texts, on_cores, SpeculationPolicy(31)) > 0.97


def test_those_that_copy_do_not_hold_up_the_others():
    texts = [copied(0, PromptLookup()), *(free(number, PromptLookup()) for number in range(3))]
    assert generate(texts, on_many_cores, SpeculationPolicy(31)) > 0.97


def measured(policy: SpeculationPolicy, num_decoding: int, plain: float, drafted: float, accepted: int) -> None:
    """Report many steps: plain ones, and ones with 7 drafted tokens."""
    for _ in range(20):
        policy.observe(num_decoding, plain)
        policy.observe(num_decoding, drafted, [(7, accepted)])


def test_drafts_come_back_when_the_other_sequences_are_gone():
    policy = SpeculationPolicy(31)
    measured(policy, 1, 0.010, 0.015, accepted=6)
    measured(policy, 4, 0.020, 0.090, accepted=6)
    assert policy.budget(4) == 0
    assert policy.budget(1) > 7


def test_the_first_step_is_a_plain_one_and_the_first_draft_a_short_one():
    policy = SpeculationPolicy(31)
    assert policy.budget(1) == 0
    policy.observe(1, 0.010, [(5, 5)])  # nothing to compare it with
    assert policy.budget(1) == 0
    policy.observe(1, 0.010)
    assert policy.budget(1) == 3
    assert policy.budget(2) == 0


def test_drafting_that_finds_nothing_is_paid_too():
    policy = SpeculationPolicy(31)
    policy.observe(1, 0.010)
    for _ in range(20):
        policy.observe(1, 0.020, [(0, 0)])
    assert policy.budget(1) == 0


def test_a_plain_step_is_measured_again_now_and_then():
    policy = SpeculationPolicy(31)
    policy.observe(1, 0.010)
    for _ in range(100):
        assert policy.budget(1) > 0
        policy.observe(1, 0.012, [(3, 3)])
    assert policy.budget(1) == 0
    policy.observe(1, 0.010)
    assert policy.budget(1) > 0


def test_one_disturbed_step_changes_little():
    policy = SpeculationPolicy(31)
    measured(policy, 1, 0.010, 0.015, accepted=7)
    policy.observe(1, 5.0, [(7, 7)])
    policy.observe(1, 5.0)
    assert policy.budget(1) > 0


@pytest.mark.parametrize(("most", "first"), [(1, 1), (2, 1), (3, 3), (8, 3)])
def test_the_first_draft_is_as_long_as_drafts_may_be(most, first):
    policy = SpeculationPolicy(most)
    policy.observe(1, 0.010)
    assert policy.budget(1) == first
    assert policy.fit([[1] * first]) == [[1] * first]


@pytest.mark.parametrize("most", [1, 3])
def test_no_draft_is_longer_than_it_may_be_where_only_longer_ones_pay(most):
    policy = SpeculationPolicy(most)
    budgets = []
    for _ in range(1000):
        policy.observe(1, 0.010)
        budgets.append(policy.budget(1))
        if budgets[-1]:
            policy.observe(1, 0.045, [(most, most)])
    assert budgets.count(most) > 2
    assert set(budgets) == {0, most}


@pytest.mark.parametrize("num_sequences", [1, 8])
def test_drafts_are_tried_again_after_disturbed_ones(num_sequences):
    policy = SpeculationPolicy(31)
    policy.observe(num_sequences, 0.010)
    for _ in range(5):
        policy.observe(num_sequences, 0.600, [(3, 0)] * num_sequences)
    assert policy.budget(num_sequences) == 0
    for _ in range(20_000):
        policy.observe(num_sequences, 0.010)
    assert policy.budget(num_sequences) == 3


def test_drafts_fill_pairs_of_rows():
    policy = SpeculationPolicy(31)
    measured(policy, 1, 0.010, 0.015, accepted=7)
    lengths = [(length, len(policy.fit([[1] * length])[0])) for length in (1, 2, 5, 6)]
    assert lengths == [(1, 1), (2, 1), (5, 5), (6, 5)]


def test_drafts_that_cannot_pay_are_left_out():
    policy = SpeculationPolicy(31)
    policy.observe(1, 0.010)
    policy.observe(1, 0.022, [(3, 3)])
    policy.observe(1, 0.026, [(7, 7)])  # 9 ms for the first one, and 1 for each
    assert policy.fit([[1]]) == [[]]
    assert policy.fit([[1] * 3]) == [[1] * 3]


def test_longer_drafts_than_help_are_not_risked():
    policy = SpeculationPolicy(31)
    measured(policy, 1, 0.010, 0.010 + 7 * 0.0045, accepted=7)
    assert policy.budget(1) == 7


def test_a_long_draft_waits_for_a_measurement_then_for_what_others_bear():
    policy = SpeculationPolicy(31)
    drafts = [[1] * 15, [], []]
    policy.observe(3, 0.010)
    assert policy.fit(drafts) == drafts
    policy.observe(3, 0.025, [(15, 15)])  # 1 ms a token, and 5 ms may be waited
    assert policy.fit(drafts) == [[1] * 3, [], []]
    assert policy.fit([[1] * 15] * 3) == [[1] * 15] * 3


def test_drafts_that_others_cannot_wait_for_are_measured_now_and_then():
    policy = SpeculationPolicy(31)
    policy.observe(2, 0.010)
    policy.observe(2, 0.090, [(3, 3)])
    lengths = [len(policy.fit([[1] * 3, []])[0]) for _ in range(200)]
    assert lengths.count(3) == 2


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([0, 0], [0, 0]),
        ([5, 0, 5], [5, 0, 5]),
        ([9, 5, 3, 1], [5, 5, 0, 0]),
        ([9, 8, 8, 1], [8, 8, 8, 0]),
        ([31, 1, 1], [31, 0, 0]),
    ],
)
def test_drafts_of_one_step_have_one_length(lengths, expected):
    assert [len(draft) for draft in evened([[1] * length for length in lengths])] == expected


def test_a_line_through_one_x_starts_at_zero():
    line = Line()
    assert line.at(4) == 0
    for _ in range(3):
        line.add(4, 8)
    assert (line.start, line.slope) == (0, 2)


def test_a_line_stays_as_steep_as_it_was_known_to_be():
    line = Line()
    for x in (1, 3, 7, 15):
        line.add(x, 20 + 3 * x)
    for _ in range(100):
        line.add(1, 23)
    assert line.at(15) == pytest.approx(65)


def test_a_line_finds_where_it_starts_and_how_steep_it_is():
    line = Line()
    for x in (1, 3, 7, 15) * 5:
        line.add(x, 20 + 3 * x)
    assert (line.start, line.slope) == (pytest.approx(20), pytest.approx(3))


def test_a_line_does_not_fall():
    line = Line()
    for x, y in ((1, 5), (10, -8)):
        line.add(x, y)
    assert (line.start, line.slope) == (0, 0)
