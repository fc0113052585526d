"""What happens to files on their way: they end too early, and bits of them change."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from random import Random

from tests.mutations.layout import Damaged, Layout


def truncations(layout: Layout) -> Iterator[Damaged]:
    """End the file at each boundary inside its header, around each section, and inside magic, version and counts."""
    data = layout.pack()
    sections = {name: sum(map(len, pieces)) for name, pieces in layout.sections().items()}
    ends = list(accumulate(sections.values()))
    places = {1, 3, 4, 6, 8, 12, 16, 20, 24, *(end + step for end in ends for step in (-1, 0, 1))}
    places -= {place for place in places if place >= len(data)}
    yield from ((f"ends after {place} bytes", data[:place]) for place in sorted(places))


def cut_somewhere(layout: Layout, random: Random) -> Damaged:
    """End the file at some boundary of two pieces, or anywhere."""
    data = layout.pack()
    boundaries = list(accumulate(map(len, layout.pieces())))[:-1]
    place = random.choice(boundaries) if random.random() < 0.5 else random.randrange(len(data))
    return f"ends after {place} bytes", data[:place]


def flip(layout: Layout, section: str, random: Random) -> Damaged:
    """Change one to eight bits or whole bytes of a section, no large array of its being likelier than a small key."""
    sections = layout.sections()
    pieces = [bytearray(piece) for piece in sections[section]]
    changes = []
    for _ in range(random.choice((1, 1, 2, 8))):
        number = random.choice([index for index, piece in enumerate(pieces) if piece])
        place = random.randrange(len(pieces[number]))
        pieces[number][place] = random.choice(
            (pieces[number][place] ^ 1 << random.randrange(8), 0, 255, random.randrange(256))
        )
        changes.append(f"{number}:{place}={pieces[number][place]}")
    return f"{section} {' '.join(changes)}", b"".join(
        bytes(piece) for name, kept in sections.items() for piece in (pieces if name == section else kept)
    )


def zero_out(layout: Layout, random: Random) -> Damaged:
    """Replace some 4 KB blocks by zeros, as downloads in several parts leave them."""
    data = bytearray(layout.pack())
    places = [random.randrange(0, len(data), 4096) for _ in range(3)]
    for place in places:
        data[place : place + 4096] = bytes(len(data[place : place + 4096]))
    return f"zeros at {places}", bytes(data)


def shuffled(layout: Layout, random: Random) -> Damaged:
    """Let two tensors trade places: the data of one under the name of the other."""
    first, second = random.sample(range(len(layout.tensors)), 2)
    one, other = layout.tensors[first], layout.tensors[second]
    changed = layout.with_tensor(first, name=other.name).with_tensor(second, name=one.name)
    return f"{one.name.decode()} and {other.name.decode()} swapped", changed


def filled(layout: Layout, pattern: bytes) -> Layout:
    """Replace all weights by a pattern of 4 bytes, such as that of NaN."""
    tensors = [replace(tensor, data=pattern * (len(tensor.data) // 4)) for tensor in layout.tensors]
    return replace(layout, tensors=tensors)
