"""Lets API requests in: who asks, whether their key is good, and whether they have not asked for too much yet.

Every request below `/v1` comes by here, whatever view answers it, and that for the metrics. Only OPEN_PATHS ask nobody.
"""

from collections.abc import Awaitable

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from access.admission import Admission
from access.identity import OPERATOR, Identity, current_identity, unknown
from access.key_ring import KeyRefused, key_ring
from access.last_used import last_used
from access.limits import Limit, LimitReached
from access.meter import Meter
from inference.exceptions import APIError, InvalidKey, QuotaExceeded, RateLimitExceeded, ServerBusy, error_response
from inference.operators import is_operator_token
from llmsite.middleware import METRICS_PATH, Handler, is_api
from llmsite.rate_headers import rate_headers, retry_headers
from usage.record import RequestRecord, current_record
from usage.spent import tokens_between

OPEN_PATHS = frozenset({"/v1/health", *([METRICS_PATH] if settings.CONFIG.metrics.public else [])})
MANAGING_PATH = "/v1/models/"  # what is posted there makes no model work
MISSING = "No API key was sent. Send one as `Authorization: Bearer sk-…`."
NO_BEARER = "The Authorization header has another form than `Bearer sk-…`."
UNITS = {Limit.REQUESTS: "requests", Limit.TOKENS: "tokens"}
WRONG = "Incorrect API key: this server has no such key. Its keys are made in the admin under “API keys”."

admission = Admission(settings.CONFIG.limits.requests, settings.CONFIG.limits.requests_per_key, Meter(tokens_between))


class APIAccess:
    """Middleware: answers what may not be let in, and tells the rest who asks (`current_identity`)."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if not is_api(request) or request.path_info in OPEN_PATHS:
            return self.get_response(request)
        return self._answer(request) if iscoroutinefunction(self.get_response) else self._answer_sync(request)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        """Leave the identity set: a streamed answer is made after this has returned, in the same task."""
        try:
            identity = await identify(request.headers.get("Authorization", ""))
            current_identity.set(identity)
            await let_in(request, identity)
        except APIError as error:
            response = error_response(error)
        else:
            response = await self.get_response(request)
        for name, value in rate_headers(admission.meter.levels(current_identity.get())).items():
            response.headers[name] = value
        return response

    def _answer_sync(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in a synchronous handler, which has no streams and counts nothing."""
        try:
            identity = async_to_sync(identify)(request.headers.get("Authorization", ""))
        except APIError as error:
            return error_response(error)
        token = current_identity.set(identity)
        try:
            return self.get_response(request)
        finally:
            current_identity.reset(token)


async def identify(authorization: str) -> Identity:
    """Return who sends this Authorization header; raise InvalidKey for a key that is no good."""
    scheme, _, key = authorization.strip().partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else ""
    if is_operator_token(key):
        return OPERATOR
    try:
        owner = await key_ring.owner(key)
    except KeyRefused as refusal:
        _note_key(refusal.identity)
        raise InvalidKey(str(refusal)) from None
    if owner is None and settings.AUTH_REQUIRED:
        raise InvalidKey(WRONG if key else NO_BEARER if authorization else MISSING)
    return owner or unknown(authorization)


async def let_in(request: HttpRequest, identity: Identity) -> None:
    """Note who asks, and count requests that make models work; raise APIError for one too many."""
    record = current_record.get()
    if identity.key_id is not None:
        last_used.note(identity.key_id)
        _note_key(identity)
    await admission.meter.prepare(identity)
    is_work = request.method == "POST" and not request.path_info.startswith(MANAGING_PATH)
    if record and is_work:
        _count(record, identity)


def _note_key(identity: Identity) -> None:
    if record := current_record.get():
        record.key_id, record.key_prefix = identity.key_id, identity.prefix


def _count(record: RequestRecord, identity: Identity) -> None:
    try:
        admission.enter(identity)
    except LimitReached as reached:
        raise _as_api_error(reached) from None
    record.on_finish(lambda ended: admission.leave(identity, ended.prompt_tokens + ended.completion_tokens))


def _as_api_error(reached: LimitReached) -> APIError:
    message, headers = str(reached), retry_headers(reached)
    if reached.limit is Limit.DAY:
        return QuotaExceeded(message, headers=headers)
    if reached.limit in UNITS:
        return RateLimitExceeded(message, UNITS[reached.limit], headers)
    return ServerBusy(message, code="too_many_requests", headers=headers)
