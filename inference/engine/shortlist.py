"""Which tokens a sampler chain can choose at all: most chains keep only the likeliest ones.

llama.cpp's samplers take a list of the whole vocabulary, which keeps a core busy for half a millisecond a token where
that is large. Finding the few that matter takes a tenth of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.engine.messages import SamplingParams

GROUPED = 64  # tokens of which only the likeliest one is looked at first


@dataclass(frozen=True)
class Shortlist:
    """What a chain can choose: the `depth` likeliest tokens, and those whose bias lifts them, wherever they are."""

    depth: int
    raised: tuple[int, ...] = ()

    def choose(self, logits: np.ndarray, num_refused: int = 0) -> np.ndarray | None:
        """Return the ids of the tokens to choose from, ascending; None for the whole vocabulary, shape (n_vocab,).

        num_refused: how many of the likeliest may turn out to be out of the question.
        """
        chosen = likeliest(logits, self.depth + num_refused)
        return np.union1d(chosen, self.raised).astype(np.int32) if self.raised and chosen is not None else chosen


def shortlist(params: SamplingParams, active: Sequence[str], biases: dict[int, float]) -> Shortlist | None:
    """Return what a chain of the `active` samplers, in their order, can choose; None if that may be any token."""
    depth = _depth(params, active)
    if depth is None:
        return None
    lowered = sum(bias < 0 for bias in biases.values())
    return Shortlist(depth + lowered, tuple(token for token, bias in biases.items() if bias > 0))


def likeliest(logits: np.ndarray, count: int) -> np.ndarray | None:
    """Return the ids of at least the `count` largest logits, ascending; None if that is no short list.

    The tokens are put in groups. The largest logits of `count` groups are `count` logits, so none that is smaller than
    all of these can be among the largest, and none from a group that has nothing larger.
    """
    num_groups = len(logits) // GROUPED
    if count > num_groups:
        return None
    num_grouped = num_groups * GROUPED
    highest = logits[:num_grouped].reshape(GROUPED, num_groups).max(axis=0)
    bound = np.partition(highest, num_groups - count)[num_groups - count]
    if math.isnan(bound):
        return None
    groups = np.flatnonzero(highest >= bound)
    members = groups + np.arange(0, num_grouped, num_groups)[:, None]
    ids = np.concatenate([members.ravel(), np.arange(num_grouped, len(logits))])
    return ids[logits[ids] >= bound]


def _depth(params: SamplingParams, active: Sequence[str]) -> int | None:
    """Return how many of the likeliest tokens the chain keeps before it looks at anything else; None for all."""
    if params.presence_penalty or params.frequency_penalty:
        return None
    if params.temperature == 0:
        return None if active else 1
    first = next((name for name in active if name != "temperature"), None)  # which keeps the tokens in order
    return params.top_k if first == "top_k" else None
