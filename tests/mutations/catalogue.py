"""All damaged files, in an order in which every beginning has some of each kind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, cycle, zip_longest
from pathlib import Path
from random import Random

from tests import pooling_models, tiny_models
from tests.live_server import DEMO
from tests.mutations import absurd, damage, lies
from tests.mutations.foreign import foreign
from tests.mutations.layout import Damaged, Layout
from tests.mutations.templates import templates

FLIPS = {
    "bits of the header": "header",
    "bits of the metadata": "metadata",
    "bits of tensor infos": "tensor infos",
    "bits of weights": "weights",
}
KINDS = (
    *("truncated", *FLIPS, "blocks of zeros", "swapped tensors", "absurd counts", "false metadata"),
    *("chat template", "not a model"),
)
PATTERNS = {"NaN": b"\0\0\xc0\x7f", "infinity": b"\0\0\x80\x7f", "huge": b"\xff\xff\x7f\x7f", "zero": bytes(4)}


@dataclass(frozen=True)
class Mutation:
    """A file that `write` makes; its name says all that it takes to make it again."""

    kind: str
    name: str
    write: Callable[[Path], object]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def write_bases(folder: Path) -> dict[str, Layout]:
    """Return sound models of all sorts, written into `folder`."""
    paths = {kind: tiny_models.write_tiny_model(folder / f"{kind}.gguf", kind) for kind in tiny_models.KINDS}
    paths["bert"] = pooling_models.write_bert(folder / "bert.gguf")
    paths["ranker"] = pooling_models.write_bert(folder / "ranker.gguf", pooling=None, has_head=True)
    paths["yes-no"] = pooling_models.write_yes_no_reranker(folder / "yes-no.gguf")
    return {name: Layout.of(path) for name, path in {"demo": DEMO, **paths}.items()}


def mutations(bases: dict[str, Layout]) -> Iterator[Mutation]:
    """Yield files without end, first those that were thought of among those drawn by chance: the same ones always."""
    fixed = _alternating(_fixed(bases))
    drawn = _drawn(bases)
    for planned in fixed:
        yield planned
        yield next(drawn)
    yield from drawn


def _fixed(bases: dict[str, Layout]) -> list[Iterator[Mutation]]:
    """Return those that were thought of, by kinds; for kinds of which there are many, in a mixed order."""
    demo = bases["demo"]
    weights = ((f"all {name}", damage.filled(demo, pattern)) for name, pattern in PATTERNS.items())
    return [
        _of("truncated", "demo", damage.truncations(demo)),
        _of("bits of weights", "demo", weights),
        _mixed(chain.from_iterable(map(_absurd, bases.items()))),
        _mixed(chain.from_iterable(map(_lies, bases.items()))),
        _of("chat template", "demo", templates(demo)),
        (Mutation("not a model", name, write) for name, write in foreign(demo).items()),
    ]


def _absurd(base: tuple[str, Layout]) -> Iterator[Mutation]:
    name, layout = base
    makers = (absurd.counts, absurd.lengths, absurd.names, absurd.tensors, absurd.alignments)
    if name == "demo":
        yield from (Mutation("absurd counts", what, write) for what, write in absurd.WRITERS.items())
    if name in ("demo", "moe", "bert"):
        yield from chain.from_iterable(_of("absurd counts", name, make(layout)) for make in makers)


def _lies(base: tuple[str, Layout]) -> Iterator[Mutation]:
    name, layout = base
    makers = (lies.numbers, lies.words, lies.vocabularies, lies.omissions)
    yield from chain.from_iterable(_of("false metadata", name, make(layout)) for make in makers)


def _drawn(bases: dict[str, Layout]) -> Iterator[Mutation]:
    """Yield one kind after the other, each of another model, drawn with its own number as the seed."""
    draw: dict[str, Callable[[Layout, Random], Damaged]] = {
        "truncated": damage.cut_somewhere,
        **{kind: _flipper(section) for kind, section in FLIPS.items()},
        "blocks of zeros": damage.zero_out,
        "swapped tensors": damage.shuffled,
        "false metadata": lies.some_lie,
    }
    for seed, kind in zip(count(), cycle(draw)):
        random = Random(seed)
        base = random.choice(list(bases))
        name, data = draw[kind](bases[base], random)
        yield _mutation(kind, f"{base} (seed {seed}) {name}", data)


def _flipper(section: str) -> Callable[[Layout, Random], Damaged]:
    return lambda layout, random: damage.flip(layout, section, random)


def _of(kind: str, base: str, damaged: Iterator[Damaged]) -> Iterator[Mutation]:
    return (_mutation(kind, f"{base} {name}", result) for name, result in damaged)


def _mutation(kind: str, name: str, result: Layout | bytes) -> Mutation:
    return Mutation(kind, name, lambda path: path.write_bytes(result if isinstance(result, bytes) else result.pack()))


def _mixed(mutations: Iterator[Mutation]) -> Iterator[Mutation]:
    return iter(Random(0).sample(mixed := list(mutations), len(mixed)))


def _alternating(kinds: list[Iterator[Mutation]]) -> Iterator[Mutation]:
    """Yield the first of each, then the second of each, until all have ended."""
    return (each for row in zip_longest(*kinds) for each in row if each is not None)
