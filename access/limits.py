"""What is said when a limit is reached, and how near it is."""

from dataclasses import dataclass
from enum import Enum


class Limit(Enum):
    """What can be too much."""

    SERVER = "requests of all clients at a time"
    CONCURRENT = "requests at a time"
    REQUESTS = "requests a minute"
    TOKENS = "tokens a minute"
    DAY = "tokens a day"


class LimitReached(Exception):
    """One request too many.

    retry_after: seconds until another one may be let in; None where that is long or nobody knows.
    """

    def __init__(self, limit: Limit, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        self.retry_after = retry_after


@dataclass(frozen=True)
class Level:
    """How much of a limit is used.

    wait: seconds until another request is let in, reset: seconds until all is free again, if nothing more is used.
    """

    limit: int
    used: int
    wait: float
    reset: float

    @property
    def remaining(self) -> int:
        """How much may still be used; 0 also where more was used than the limit says."""
        return max(0, self.limit - self.used)
