"""When guessing tokens ahead pays.

A step that also computes drafted tokens takes longer, and each one accepted saves a part of a later step. How much
either is depends on the machine, the model and how many sequences share the step, so it is measured: on a GPU further
tokens are nearly free, on a few cores each may cost half a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.engine.line import Line

# CPU kernels compute two or four rows at a time: with the sequence's own token these drafts fill them.
LENGTHS = (1, 3, 7, 15, 31, 63)
FIRST_LENGTH = 3  # of a draft whose cost is not known yet
EXPLORATION = 0.015  # share of the plain steps' time that may be lost on drafts that are refused
FIRST_CREDIT = 3  # plain steps that may be lost on finding out
ENOUGH = 0.9  # of the speed that endless drafts would give; longer ones only risk more
RATE = 0.1  # weight of the newest plain step
MOST_SPREAD = 4  # a step that takes this many times what was expected was disturbed by something else
MOST_WAIT = 0.5  # of a plain step, that a sequence without a draft may wait for others' drafts
REFRESH = 100  # steps after which is measured again what is otherwise not done


@dataclass
class StepCosts:
    """What steps with a certain number of decoding sequences take, in seconds, and what drafts have saved in them.

    most: the longest draft. plain: a step without drafts; None until there was one. extra: what drafted tokens add to
    it. width: sequences that have drafts in a step with drafts. credit: the time that may be lost on drafts.
    """

    num_decoding: int
    most: int
    plain: float | None = None
    num_plain: int = 0
    num_since_plain: int = 0
    num_refused: int = 0
    extra: Line = field(default_factory=Line)
    width: float = 1.0
    credit: float = 0.0

    def add_plain(self, seconds: float) -> None:
        if self.plain is None:
            self.plain, self.credit = seconds, FIRST_CREDIT * seconds
        self.num_plain += 1
        self.num_since_plain = 0
        seconds = min(seconds, MOST_SPREAD * self.plain)
        self.plain += max(RATE, 1 / self.num_plain) * (seconds - self.plain)
        self._earn(EXPLORATION * seconds)

    def add_drafted(self, seconds: float, drafts: Sequence[tuple[int, int]]) -> None:
        """Account for a step with drafts: what it took longer is paid, and each accepted token earned its time."""
        num_drafted = sum(drafted for drafted, _ in drafts)
        num_accepted = sum(accepted for _, accepted in drafts)
        expected = self.plain + self.extra.at(num_drafted)
        extra = min(seconds, MOST_SPREAD * expected) - self.plain
        self.extra.add(num_drafted, extra)
        self.width += RATE * (len(drafts) - self.width)
        self.num_since_plain += 1
        self._earn(num_accepted * self.plain / self.num_decoding - extra)

    @property
    def budget(self) -> int:
        """The tokens that may be drafted for each sequence."""
        if self.plain is None or self.num_since_plain >= REFRESH:
            return 0
        if not self.extra.weight:
            return self.least
        lengths = [each for each in LENGTHS if self.least <= each <= self._longest and self._cost(each) <= self.credit]
        return lengths[-1] if lengths else 0

    @property
    def least(self) -> int:
        """The shortest draft that saves time if all of it is right; if none is known to, one to find out with."""
        lengths = [each for each in LENGTHS if each <= self.most]
        first = max(each for each in lengths if each <= FIRST_LENGTH)
        if not self.extra.weight:
            return first
        saved = self.plain / self.num_decoding * self.width
        return next((each for each in lengths if each * saved > self._cost(each)), first)

    def bearable(self, num_drafting: int) -> int:
        """Return the length of draft that those sequences without one can wait for.

        Now and then it is any length, since what is never done cannot be measured.
        """
        if not self.extra.weight:
            return self.most
        lengths = [each for each in LENGTHS if self.extra.at(each * num_drafting) <= MOST_WAIT * self.plain]
        if lengths:
            return lengths[-1]
        self.num_refused = (self.num_refused + 1) % REFRESH
        return 0 if self.num_refused else self.most

    @property
    def _longest(self) -> float:
        """The length whose drafts, all accepted, give ENOUGH of the speed that endless ones would; `least` at least."""
        slope = self.extra.slope
        if slope == 0:
            return self.most
        enough = (ENOUGH * (self.plain + self.extra.start) / slope - 1) / (1 - ENOUGH)
        return min(max(enough, self.least), self.most)

    def _cost(self, length: float) -> float:
        return self.extra.at(length * self.width)

    def _earn(self, seconds: float) -> None:
        """Change the credit; so much is kept that a text which stops repeating itself costs two drafts at most."""
        most = max(FIRST_CREDIT * self.plain, 2 * self._cost(self._longest))
        self.credit = min(self.credit + seconds, most)


class SpeculationPolicy:
    """Says how long drafts may be, from what steps have taken and how much of their drafts was accepted.

    Drafts are paid from the time that earlier ones have saved, and otherwise from EXPLORATION, so that they never cost
    more than that for long, and are taken up again as soon as they pay. Each number of decoding sequences has an
    account of its own. most: the longest draft.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._costs: dict[int, StepCosts] = {}

    def budget(self, num_decoding: int) -> int:
        """Return how many tokens may be drafted for each of the decoding sequences; 0 for none."""
        return self._of(num_decoding).budget

    def fit(self, drafts: Sequence[list[int]]) -> list[list[int]]:
        """Cut the drafts of a step, one for each decoding sequence, to what is worth computing together.

        Those with a draft must not keep those without one waiting for long, however much they gain themselves. Drafts
        too short to pay even if they are right are left out.
        """
        drafts = evened(drafts)
        num_drafting = sum(map(bool, drafts))
        if not num_drafting:
            return drafts
        costs = self._of(len(drafts))
        most = max(map(len, drafts))
        if num_drafting < len(drafts):
            most = min(most, costs.bearable(num_drafting))
        most -= (most + 1) % 2  # with the sequence's own token it is an even number of rows: see LENGTHS
        return [draft[:most] if most >= costs.least else [] for draft in drafts]

    def observe(self, num_decoding: int, seconds: float, drafts: Sequence[tuple[int, int]] = ()) -> None:
        """Take note of a step that computed no prompt.

        seconds: all it took, drafting included. drafts: the numbers of drafted and of accepted tokens for each sequence
        that was drafted for; (0, 0) if drafting took its time but nothing came of it.
        """
        costs = self._of(num_decoding)
        if drafts and costs.plain is not None:
            costs.add_drafted(seconds, drafts)
        elif not drafts:
            costs.add_plain(seconds)

    def _of(self, num_decoding: int) -> StepCosts:
        return self._costs.setdefault(num_decoding, StepCosts(num_decoding, self._most))


def evened(drafts: Sequence[list[int]]) -> list[list[int]]:
    """Cut the drafts of one step to one length, or to nothing, so that most tokens are left.

    llama.cpp takes from every sequence of a partitioned KV cache equally many tokens at a time (`split_equal` in
    src/llama-batch.cpp): each further length in a batch is a further pass over the weights.
    """
    lengths = {len(draft) for draft in drafts}
    best = max(lengths, key=lambda length: length * sum(len(draft) >= length for draft in drafts), default=0)
    return [draft[:best] if len(draft) >= best else [] for draft in drafts]
