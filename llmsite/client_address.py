"""From where a request comes."""

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the address, which uvicorn takes from X-Forwarded-For where a proxy may be trusted with it."""
    return request.META.get("REMOTE_ADDR")
