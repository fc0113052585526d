"""Who has to go to make room."""

from collections.abc import Sequence
from typing import Protocol

from inference.memory import Limit, Memory, total


class Holder(Protocol):
    """Somebody who holds memory, and when it was last of use, on any clock."""

    last_used: float

    @property
    def memory(self) -> Memory: ...


def choose_victims(used: Memory, need: Memory, limit: Limit, candidates: Sequence[Holder]) -> list[Holder] | None:
    """Return those who have to go before `need` fits beside what stays; None if that is not enough.

    used: what everybody holds, the candidates included. The least recently used go first, but nobody whose memory is
    not needed in the end.
    """

    def fits_without(gone: Sequence[Holder]) -> bool:
        return limit.allows(used - total(each.memory for each in gone) + need)

    victims: list[Holder] = []
    for holder in sorted(candidates, key=lambda each: each.last_used):
        if fits_without(victims):
            break
        victims.append(holder)
    if not fits_without(victims):
        return None
    for holder in list(reversed(victims)):
        others = [each for each in victims if each is not holder]
        if fits_without(others):
            victims = others
    return victims
