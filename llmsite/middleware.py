"""Django's middleware, for the pages alone.

Under ASGI, Django runs each of them in a thread, before and after the view. An API request has no use for sessions,
forms or languages, and those threads would take longer than all that it needs.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from axes import middleware as axes
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import clickjacking, common, csrf, locale, security
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin
from simple_history.models import HistoricalRecords

from llmsite.content_policy import policy_of
from usage.record import current_record

Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

API_PATH = "/v1/"
METRICS_PATH = "/metrics"
PLAYGROUND_PATH = "/admin/console/playground/chat"  # a page's request, of which there is a record all the same
PROBES = ("/healthz", "/readyz")  # asked by machines, under whatever address they know


def is_api(request: HttpRequest) -> bool:
    """Say whether a program asks, with a key at most. By path_info, which URLs are resolved by: none gets past."""
    return request.path_info.startswith(API_PATH) or request.path_info == METRICS_PATH


def is_page(request: HttpRequest) -> bool:
    return not is_api(request) and request.path not in PROBES


class APIMiddleware:
    """What API requests need of the middleware that they go past: a check of the Host header, and a few headers."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if not is_api(request):
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost
        return (
            self._answer(request) if iscoroutinefunction(self.get_response) else _complete(self.get_response(request))
        )

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return _complete(await self.get_response(request))
        finally:
            _note_endpoint(request)


def _note_endpoint(request: HttpRequest) -> None:
    """Note where the request went: a pattern of urls.py, of which there are few whatever clients ask for."""
    if record := current_record.get():
        with suppress(Resolver404):
            match = request.resolver_match or resolve(request.path_info)  # what is turned away reaches no view
            is_known = "$" not in match.route  # the one that takes what no other does is a regular expression
            record.endpoint = f"/{match.route}" if is_known else "unknown"


def _complete(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if not response.streaming:
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


class PagesOnly:
    """Goes in front of a middleware: API requests pass it by."""

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if is_page(request) else self.get_response(request)


def _pages_only(middleware: type[MiddlewareMixin]) -> type[MiddlewareMixin]:
    """Return a subclass, which is what the admin's system checks ask for."""
    return type(middleware.__name__, (PagesOnly, middleware), {})


SecurityMiddleware = _pages_only(security.SecurityMiddleware)
SessionMiddleware = _pages_only(sessions.SessionMiddleware)
LocaleMiddleware = _pages_only(locale.LocaleMiddleware)
CommonMiddleware = _pages_only(common.CommonMiddleware)
AuthenticationMiddleware = _pages_only(auth.AuthenticationMiddleware)
MessageMiddleware = _pages_only(messages.MessageMiddleware)
XFrameOptionsMiddleware = _pages_only(clickjacking.XFrameOptionsMiddleware)


class CsrfViewMiddleware(PagesOnly, csrf.CsrfViewMiddleware):
    """API views are exempt; no cookie speaks for their clients."""

    async def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        return await sync_to_async(super().process_view)(request, *view) if is_page(request) else None


class HistoryMiddleware(PagesOnly, MiddlewareMixin):
    """Tells the history who makes the changes of a request. (simple_history's own is a function, for all requests.)"""

    def process_request(self, request: HttpRequest) -> None:
        HistoricalRecords.context.request = request

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        with suppress(AttributeError):
            del HistoricalRecords.context.request
        return response


class ContentSecurityPolicy(PagesOnly, MiddlewareMixin):
    """Tells browsers what pages may load and run: nothing from elsewhere. docs/security.md says why it allows what."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", policy_of(request.path))
        return response


AxesMiddleware = type("AxesMiddleware", (PagesOnly, axes.AxesMiddleware), {})
