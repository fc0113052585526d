"""The client for URLs that somebody else has chosen: it connects to checked addresses only, and bounds what comes.

Each hop of a redirect is a request of its own here, and is checked like the first.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

import httpx

from registry.addresses import AddressGuard, AddressRefused
from registry.formatting import human_bytes

TIMEOUT = httpx.Timeout(30, connect=15)
MAX_REDIRECTS = 10


class FetchRefused(Exception):
    """A URL that is not fetched, or an answer that is not read to its end; the message says why."""


@dataclass(frozen=True)
class Bounds:
    """What one answer may be.

    max_bytes: of its body. max_seconds: until its last byte (None: any). min_speed: bytes a second, on average over
    each `speed_window` seconds (0: any). types: patterns of content types; an answer that names none passes.
    """

    max_bytes: int
    max_seconds: float | None = None
    min_speed: int = 0
    speed_window: float = 60.0
    types: tuple[str, ...] = ("*",)


class GuardedTransport(httpx.BaseTransport):
    """Sends each request to an address that `guard` has let pass; the name stays in the Host header and in TLS.

    library: httpx, or httpx2, which huggingface_hub uses.
    """

    def __init__(
        self,
        guard: AddressGuard,
        bounds: Bounds,
        library: ModuleType = httpx,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guard, self.bounds, self.library, self.clock = guard, bounds, library, clock
        # A connection is known by its address here: one that is kept could serve another name with the same address.
        limits = library.Limits(max_keepalive_connections=0)
        self.transport = library.HTTPTransport(limits=limits, trust_env=False)

    def handle_request(self, request: Any) -> Any:
        """Return the answer. Raises FetchRefused, and what the library raises."""
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchRefused(f"{_shown(url)} is not allowed, expected http://… or https://….")
        response = self._send(request, self._addresses(request))
        try:
            self._refuse(url, response)
        except FetchRefused:
            response.close()
            raise
        response.stream = _bounded_stream(self.library, response.stream, self._counted(url, response.stream))
        return response

    def close(self) -> None:
        """Close what is open."""
        self.transport.close()

    def _addresses(self, request: Any) -> list[str]:
        url = request.url
        try:
            return self.guard.addresses(url.host, url.port or {"http": 80, "https": 443}[url.scheme])
        except AddressRefused as error:
            raise FetchRefused(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise self.library.ConnectError(f"{url.host} is not known: {error}", request=request) from error

    def _send(self, request: Any, addresses: list[str]) -> Any:
        """Try one address after the other until one takes the connection."""
        for index, address in enumerate(addresses):
            try:
                return self.transport.handle_request(_pinned(request, address))
            except (self.library.ConnectError, self.library.ConnectTimeout):
                if index == len(addresses) - 1:
                    raise
        raise self.library.ConnectError(f"{request.url.host} has no address", request=request)

    def _refuse(self, url: Any, response: Any) -> None:
        """Raise FetchRefused if the headers tell that the body is too much or of the wrong type."""
        if not response.is_success:
            return
        if (encoding := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise FetchRefused(f"{_shown(url)} is not allowed: it is packed ({encoding}), so nobody knows its size.")
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self.bounds.max_bytes:
            raise self._too_large(url, f"has {human_bytes(int(length))}")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind and not any(fnmatch(kind, pattern) for pattern in self.bounds.types):
            raise FetchRefused(f"{_shown(url)} is not allowed: the server says that it is {kind}.")

    def _counted(self, url: Any, stream: Any) -> Iterator[bytes]:
        """Yield the body; raise FetchRefused when it becomes too much, or comes too slowly."""
        bounds, total, begun_at = self.bounds, 0, self.clock()
        window_at, in_window = begun_at, 0
        for chunk in stream:
            total, in_window, now = total + len(chunk), in_window + len(chunk), self.clock()
            if total > bounds.max_bytes:
                raise self._too_large(url, "goes on")
            if bounds.max_seconds is not None and now - begun_at > bounds.max_seconds:
                raise FetchRefused(f"{_shown(url)} takes longer than the {bounds.max_seconds:g} s that are allowed.")
            if now - window_at >= bounds.speed_window:
                if in_window < bounds.min_speed * (now - window_at):
                    raise FetchRefused(f"{_shown(url)} comes with less than {human_bytes(bounds.min_speed)}/s.")
                window_at, in_window = now, 0
            yield chunk

    def _too_large(self, url: Any, found: str) -> FetchRefused:
        return FetchRefused(f"{_shown(url)} {found}, at most {human_bytes(self.bounds.max_bytes)} are allowed.")


def guarded_client(guard: AddressGuard, bounds: Bounds, **options: Any) -> httpx.Client:
    """Return a client all of whose connections are checked; no proxy of the environment is used."""
    transport = GuardedTransport(guard, bounds)
    return httpx.Client(
        transport=transport, follow_redirects=True, max_redirects=MAX_REDIRECTS, timeout=TIMEOUT, **options
    )


def _pinned(request: Any, address: str) -> Any:
    """Return the request to an address, under the name it was made for."""
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    url, headers = request.url.copy_with(host=address), request.headers.copy()
    headers["Accept-Encoding"] = "identity"
    return type(request)(request.method, url, headers=headers, stream=request.stream, extensions=extensions)


def _bounded_stream(library: ModuleType, stream: Any, chunks: Iterator[bytes]) -> Any:
    class Bounded(library.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return chunks

        def close(self) -> None:
            stream.close()

    return Bounded()


def _shown(url: Any) -> str:
    """Return the URL without its query, which may hold a secret."""
    return str(url.copy_with(query=None, fragment=None, userinfo=None))
