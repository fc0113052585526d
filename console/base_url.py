"""Where clients find the API."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

DOCKER_HOST = "host.docker.internal"  # what containers call the machine that they run on
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "[::1]")


def api_url(request: HttpRequest) -> str:
    """Return the base URL as the browser sees it."""
    return request.build_absolute_uri("/v1")


def docker_url(port: int | None = None) -> str:
    """Return the base URL as containers on the same machine see it."""
    return f"http://{DOCKER_HOST}:{port or settings.CONFIG.server.port}/v1"


def port_of(url: str) -> int | None:
    """Return the port of a URL, also one that goes without saying; None if it makes no sense."""
    parts = urlsplit(url)
    try:
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def is_url(text: str) -> bool:
    """Whether a text may be a client's base URL."""
    return text.startswith(("http://", "https://")) and bool(urlsplit(text).hostname) and port_of(text) is not None


def needs_key() -> bool:
    """Whether the API asks for a key."""
    return settings.AUTH_REQUIRED
