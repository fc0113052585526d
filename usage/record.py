"""One API request while it is being answered: who asks what of which model, and what has come of it so far.

The ASGI application begins a record, the layers below fill it in, and whoever has something to do with the outcome
(the log, metrics, quotas) is called when it ends. Nothing here imports Django.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timezone

current_record: ContextVar["RequestRecord | None"] = ContextVar("current_record", default=None)


@dataclass
class RequestRecord:
    """Times are of `time.perf_counter`; None: not reached (yet).

    status: of HTTP; an error that comes in the middle of a stream leaves it at 200 and has an `error_code`. Token
    counts are those of the API's usage: a prompt with several choices counts once.
    """

    request_id: str
    method: str
    path: str
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    ended: float | None = None
    model: str = ""
    key_id: int | None = None
    key_prefix: str = ""
    status: int = 0
    error_code: str = ""
    error: str = ""
    streamed: bool = False
    finish_reason: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    queue_seconds: float | None = None
    _callbacks: list[Callable[["RequestRecord"], None]] = field(default_factory=list)

    def on_finish(self, callback: Callable[["RequestRecord"], None]) -> None:
        """Have `callback` called once with this record, in the event loop's thread, when the answer has ended."""
        self._callbacks.append(callback)

    def finish(self) -> None:
        """End the record, whatever has become of the request."""
        self.ended = time.perf_counter()
        for callback in self._callbacks:
            callback(self)


@contextmanager
def recorded(record: RequestRecord) -> Iterator[RequestRecord]:
    """Make `record` the current one for what is done inside, and end it then."""
    token = current_record.set(record)
    try:
        yield record
    finally:
        current_record.reset(token)
        record.finish()
