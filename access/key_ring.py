"""Finds out who sends a key, without a query for every request."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from access.identity import Identity, identity_of
from access.models import KEY_START, APIKey, digest_of
from registry.queries import query

TIME_TO_LIVE = 0.5  # seconds in which another process's change, a revocation above all, is not seen
MAX_KNOWN = 10_000  # keys
MAX_UNKNOWN = 1_000  # texts that look like keys and are none


class KeyRefused(Exception):
    """A key of the database that is no longer good; the message says why, `identity` whose it was."""

    def __init__(self, message: str, identity: Identity) -> None:
        super().__init__(message)
        self.identity = identity


@dataclass(frozen=True)
class Found:
    """What the database says about a key. identity: None if there is no such key."""

    identity: Identity | None = None
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    def owner(self, now: datetime) -> Identity | None:
        """Return whose key it is, None if it is nobody's; raise KeyRefused if it is no longer good."""
        if self.revoked_at is not None:
            raise KeyRefused(f"The API key {self.identity.prefix}… has been revoked.", self.identity)
        if self.expires_at is not None and self.expires_at <= now:
            message = f"The API key {self.identity.prefix}… expired on {self.expires_at:%Y-%m-%d %H:%M} UTC."
            raise KeyRefused(message, self.identity)
        return self.identity


NOBODY = Found()


class KeyRing:
    """Looks keys up by their digests and keeps what it finds for TIME_TO_LIVE seconds.

    What this process changes holds at once: `forget` is called then. Good keys and texts that are no keys are kept
    apart, so that a flood of the latter drives out none of the former.
    find: asks the database for a digest, in a thread. clock: seconds that never go back. now: the time of day.
    """

    def __init__(
        self,
        find: Callable[[str], Found] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._find = find or find_key
        self._clock = clock
        self._now = now
        self._known: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._unknown: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Found]] = {}
        self._num_changes = 0

    async def owner(self, key: str) -> Identity | None:
        """Return whose key that is, None if it is nobody's; raise KeyRefused if it has been revoked or has expired."""
        if not key.startswith(KEY_START):
            return None
        digest = digest_of(key)
        found = self._kept(digest) or await self._asked(digest)
        return found.owner(self._now())

    def forget(self) -> None:
        """Ask again for everything, since something has changed. May be called from any thread."""
        self._num_changes += 1
        self._known, self._unknown, self._asking = OrderedDict(), OrderedDict(), {}

    def _kept(self, digest: str) -> Found | None:
        until, found = self._known.get(digest) or self._unknown.get(digest) or (0.0, None)
        return found if self._clock() < until else None

    async def _asked(self, digest: str) -> Found:
        """Ask the database; requests that come meanwhile with the same key wait for the same answer."""
        asking = self._asking
        task = asking.get(digest)
        if task is None:
            task = asking[digest] = asyncio.create_task(self._ask(digest))
            task.add_done_callback(lambda _: asking.pop(digest, None))
        return await asyncio.shield(task)

    async def _ask(self, digest: str) -> Found:
        until, num_changes = self._clock() + TIME_TO_LIVE, self._num_changes
        found = await query(self._find, digest)
        kept, limit = (self._known, MAX_KNOWN) if found.identity else (self._unknown, MAX_UNKNOWN)
        if num_changes == self._num_changes:  # else it may be what was there before
            kept.pop(digest, None)
            kept[digest] = until, found
            while len(kept) > limit:
                kept.popitem(last=False)
        return found


def find_key(digest: str) -> Found:
    """Ask the database for the key of this digest."""
    key = APIKey.objects.filter(digest=digest).first()
    if key is None or not hmac.compare_digest(key.digest, digest):
        return NOBODY
    return Found(identity_of(key), key.revoked_at, key.expires_at)


key_ring = KeyRing()
