"""One API request while it is being answered: who asks what of which model, and what has come of it so far.

The ASGI application begins a record, the layers below fill it in, and whoever has something to do with the outcome
(the log, metrics, quotas) is called when it ends. Nothing here imports Django.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from usage.exchange import Exchange

logger = logging.getLogger(__name__)

UNAUTHORIZED = 401
TURNED_AWAY = frozenset({UNAUTHORIZED, 403, 429})
CLIENT_GONE = 499  # the status, as nginx has it, of a request whose client has left before there was an answer

current_record: ContextVar["RequestRecord | None"] = ContextVar("current_record", default=None)


@dataclass
class RequestRecord:
    """Times are of `time.perf_counter`; None: not reached (yet).

    endpoint: the path without names and ids in it. is_for_model: whether a model is to answer. model: as the client
    named it; has_model: whether there is one of that name. status: of HTTP; an error that comes in the middle of a
    stream leaves it at 200 and has an `error_code`. Token counts are those of the API's usage: a prompt with several
    choices counts once. Of a request that ends early, they are those of what was done; finish_reason is then `abort`.
    client: the address that it comes from. trace_headers: which trace it belongs to, if the client says so.
    num_open: generations that have not ended. exchange: the bodies, where they are being captured.
    """

    request_id: str
    method: str
    path: str
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    ended: float | None = None
    endpoint: str = ""
    is_for_model: bool = False
    model: str = ""
    has_model: bool = False
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
    client: str = ""
    trace_headers: dict[str, str] = field(default_factory=dict)
    num_open: int = 0
    exchange: "Exchange | None" = None
    _callbacks: list[Callable[["RequestRecord"], None]] = field(default_factory=list)

    @property
    def first_token_seconds(self) -> float | None:
        return None if self.first_token is None else self.first_token - self.started

    @property
    def total_seconds(self) -> float:
        """Seconds until its end, or until now."""
        return (time.perf_counter() if self.ended is None else self.ended) - self.started

    @property
    def is_error(self) -> bool:
        """Whether the client was told of an error; one that leaves is none."""
        return (self.status >= 400 and self.status != CLIENT_GONE) or bool(self.error_code)

    @property
    def is_turned_away(self) -> bool:
        """Whether it was refused for who sends it, or for how much they send, before anybody looked at what it says."""
        return self.status in TURNED_AWAY and not self.is_for_model

    def on_finish(self, callback: Callable[["RequestRecord"], None]) -> None:
        """Have `callback` called once with this record, in the event loop's thread, when the answer has ended."""
        self._callbacks.append(callback)

    def finish(self) -> None:
        """End the record, whatever has become of the request; a second time nothing happens."""
        if self.ended is not None:
            return
        self.ended = time.perf_counter()
        self.status = self.status or CLIENT_GONE
        if self.num_open and not self.error_code:
            self.finish_reason = "abort"
        for callback in self._callbacks:
            try:
                callback(self)
            except Exception:
                logger.exception("the end of request %s could not be noted", self.request_id)


def note_error(code: str, message: str) -> None:
    """Note in the current record, if there is one, what the client is told."""
    if record := current_record.get():
        record.error_code, record.error = code, message


@contextmanager
def recorded(record: RequestRecord) -> Iterator[RequestRecord]:
    """Make `record` the current one for what is done inside, and end it then."""
    token = current_record.set(record)
    try:
        yield record
    finally:
        current_record.reset(token)
        record.finish()
