"""Dialogues for training: deterministic from a seed, rendered later by the model's own chat template."""

import random
from collections.abc import Iterator

from demo.talk import Dialogue, Talk
from demo.titles import title_dialogue


def dialogue(rng: random.Random, room: int) -> Dialogue:
    """Return a dialogue whose long parts keep to about `room` characters each."""
    if rng.random() < 0.12:
        messages, answer = title_dialogue(rng, room)
        return Dialogue(messages=[*messages, {"role": "assistant", "content": answer}], learn=[True])
    talk = Talk(rng, room)
    talk.open()
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8))):
        talk.turn()
    return talk.made


def dialogues(seed: int, room: int) -> Iterator[Dialogue]:
    """Yield dialogues without end, the same ones for the same seed and room."""
    rng = random.Random(seed)
    while True:
        yield dialogue(rng, room)
