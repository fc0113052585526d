"""Who may make models work now: how many requests at a time, in all and for each sender, and the limits of keys."""

from collections import Counter

from access.identity import Identity
from access.limits import Limit, LimitReached
from access.meter import Meter

A_MOMENT = 2.0  # seconds after which it is worth trying again where one request has to end first


class Admission:
    """Counts the requests that make models work, from the moment they are let in to the last byte of the answer.

    limit: of all requests together. limit_per_client: of each sender that has no limit of its own.
    """

    def __init__(self, limit: int, limit_per_client: int, meter: Meter) -> None:
        self.meter = meter
        self._limit = limit
        self._limit_per_client = limit_per_client
        self._open: Counter[str] = Counter()

    def enter(self, identity: Identity) -> None:
        """Let a request in, for which `leave` is to be called; raise LimitReached if it is one too many."""
        self._check_open(identity)
        self.meter.check(identity)
        self.meter.count(identity)
        self._open[identity.client] += 1

    def leave(self, identity: Identity, tokens: int) -> None:
        """Note that a request has ended, which took so many tokens."""
        self.meter.charge(identity, tokens)
        self._open[identity.client] -= 1
        if not self._open[identity.client]:
            del self._open[identity.client]

    def _check_open(self, identity: Identity) -> None:
        own = identity.limits.max_concurrent
        limit = self._limit_per_client if own is None else own
        if self._open[identity.client] >= limit:
            where = "limits.requests_per_key" if own is None else f"a limit of the key {identity.prefix}…"
            raise LimitReached(
                Limit.CONCURRENT,
                f"The server is busy: {limit} requests of this API key are being answered ({where}). Try again later.",
                None if own is None else A_MOMENT,
            )
        if self._open.total() >= self._limit:
            message = (
                f"The server is busy: {self._limit} requests are being answered (limits.requests). Try again later."
            )
            raise LimitReached(Limit.SERVER, message)
