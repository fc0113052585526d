"""Turns dialogues into batches of one length each, with the places to be learned."""

import random
from collections.abc import Iterator
from itertools import islice

import torch
from tokenizers import Tokenizer
from torch import Tensor

from demo.dialogues import Dialogue, dialogue
from demo.render import END, render

LENGTHS = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
Sample = tuple[list[int], list[int]]
Batch = tuple[Tensor, Tensor, Tensor]


class Encoder:
    """Encodes dialogues and marks the assistant's tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.end = tokenizer.token_to_id(END)
        self.opening = tokenizer.encode("<|im_start|>assistant\n").ids

    def sample(self, made: Dialogue) -> Sample:
        """Return the dialogue's token ids and the places whose next token is to be learned."""
        ids = self.tokenizer.encode(render(made.messages, made.schemas(), answer=False)).ids
        places: list[int] = []
        learn, size = iter(made.learn), len(self.opening)
        for i in range(len(ids) - size):
            if ids[i : i + size] == self.opening:
                stop = ids.index(self.end, i)
                places += range(i + size - 1, stop) if next(learn) else ()
        return ids, places


def samples(encoder: Encoder, seed: int, room: int, most: int) -> Iterator[Sample]:
    """Yield samples of at most `most` tokens that hold something to learn, without end."""
    rng = random.Random(seed)
    while True:
        # Rooms vary, so that short contexts stay common beside the long ones.
        made = dialogue(rng, int(room * rng.random() ** 2.2) + 150)
        ids, places = encoder.sample(made)
        if places and len(ids) <= most:
            yield ids, places


def batches(encoder: Encoder, seed: int, room: int, most: int, size: int, pool: int = 3000) -> Iterator[Batch]:
    """Yield batches of about `size` tokens, padded to one of `LENGTHS`, in random order.

    Contract: a batch is (tokens, places, targets) as `Llama.loss` takes them; no sample is cut, and all
    batches of one length hold equally many samples (a compiled model knows each shape just once).
    """
    source, rng = samples(encoder, seed, room, most), random.Random(seed)
    groups: dict[int, list[Sample]] = {length: [] for length in LENGTHS}
    while True:
        for item in islice(source, pool):
            groups[next(length for length in LENGTHS if length >= len(item[0]))].append(item)
        chunks = []
        for length, group in groups.items():
            count = max(1, size // length)
            while len(group) >= count:
                chunks.append((length, [group.pop() for _ in range(count)]))
        rng.shuffle(chunks)
        for length, chunk in chunks:
            yield _batch(length, chunk)


def _batch(length: int, chunk: list[Sample]) -> Batch:
    tokens = torch.zeros(len(chunk), length, dtype=torch.long)
    places: list[int] = []
    for row, (ids, learned) in enumerate(chunk):
        tokens[row, : len(ids)] = torch.tensor(ids)
        places += [row * length + place for place in learned]
    where = torch.tensor(places)
    return tokens, where, tokens.flatten()[where + 1]
