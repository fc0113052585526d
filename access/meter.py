"""What each key has used: the requests and tokens of the last minute, and the tokens of the day."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from access.identity import Identity
from access.limits import Level, Limit, LimitReached
from access.window import Window

SOON = 60.0  # seconds; clients that are told to come back later than that give up


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc)


@dataclass
class Day:
    """The tokens of a day. before: those of requests that began before this process did; None: not read yet."""

    date: date
    before: int | None = None
    since: int = 0

    def level(self, limit: int, now: datetime) -> Level:
        """Return how much of a limit is used."""
        used = (self.before or 0) + self.since
        reset = (midnight(self.date + timedelta(days=1)) - now).total_seconds()
        return Level(limit, used, wait=reset if used >= limit else 0.0, reset=reset)


@dataclass
class Use:
    """What one key has used."""

    day: Day
    requests: Window = field(default_factory=Window)
    tokens: Window = field(default_factory=Window)


class Meter:
    """Counts in memory, in the event loop's thread; days are those of UTC.

    Nothing waits between `check` and `count`, so no two requests take the same last place. Tokens are known when a
    request has ended: one that starts below a limit may end above it, and the next one is refused.

    spent: tells from the database how many tokens the requests of a key took that began between two moments.
    clock: seconds that never go back. now: the time of day.
    """

    def __init__(
        self,
        spent: Callable[[int, datetime, datetime], Awaitable[int]],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._spent = spent
        self._clock = clock
        self._now = now
        self._started = now()
        self._uses: dict[int, Use] = {}

    async def prepare(self, identity: Identity) -> None:
        """Read what the key used of the day before this process began; once, and only if it matters."""
        if identity.key_id is not None and identity.limits.tokens_per_day is not None:
            day = self._use(identity.key_id).day
            if day.before is None:
                day.before = await self._spent(identity.key_id, midnight(day.date), self._started)

    def levels(self, identity: Identity) -> dict[Limit, Level]:
        """Return the state of each limit that the key has."""
        if identity.key_id is None:
            return {}
        use, limits = self._use(identity.key_id), identity.limits
        found = {}
        if limits.requests_per_minute is not None:
            found[Limit.REQUESTS] = use.requests.level(limits.requests_per_minute, self._clock())
        if limits.tokens_per_minute is not None:
            found[Limit.TOKENS] = use.tokens.level(limits.tokens_per_minute, self._clock())
        if limits.tokens_per_day is not None:
            found[Limit.DAY] = use.day.level(limits.tokens_per_day, self._now())
        return found

    def check(self, identity: Identity) -> None:
        """Raise LimitReached unless the key may make another request."""
        for limit, level in self.levels(identity).items():
            if not level.remaining:
                raise _refusal(identity, limit, level)

    def count(self, identity: Identity) -> None:
        """Count a request that was let in."""
        if identity.key_id is not None and identity.limits.requests_per_minute is not None:
            self._use(identity.key_id).requests.add(1, self._clock())

    def charge(self, identity: Identity, tokens: int) -> None:
        """Count what a request took that has ended."""
        if identity.key_id is None:
            return
        use = self._use(identity.key_id)
        use.day.since += tokens
        if identity.limits.tokens_per_minute is not None:
            use.tokens.add(tokens, self._clock())

    def _use(self, key_id: int) -> Use:
        """Return what the key has used; with a new day if one has begun."""
        today = self._now().date()
        use = self._uses.get(key_id)
        if use is None:
            use = self._uses[key_id] = Use(self._new_day(today))
        elif use.day.date != today:
            use.day = self._new_day(today)
        return use

    def _new_day(self, today: date) -> Day:
        return Day(today, before=None if today == self._started.date() else 0)


def _refusal(identity: Identity, limit: Limit, level: Level) -> LimitReached:
    is_soon = level.wait <= SOON
    advice = f"in {level.wait:.0f} s" if is_soon else f"after midnight UTC, in {level.wait / 3600:.1f} h"
    message = (
        f"Rate limit reached: the API key {identity.prefix}… may use {level.limit} {limit.value} and has used "
        f"{level.used}. Try again {advice}."
    )
    return LimitReached(limit, message, level.wait if is_soon else None)
