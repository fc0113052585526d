"""Whose request it is that is being served."""

import hashlib
from contextvars import ContextVar

from django.http import HttpRequest

# Of the task that serves the request: what is far below, such as the engine's queue, need not be handed it by all in
# between.
current_client: ContextVar[str] = ContextVar("current_client", default="")


def client_of(request: HttpRequest) -> str:
    """Return a name for the sender, the same for the same API key and without the key in it; "" if there is none."""
    return name_of(request.headers.get("Authorization", ""))


def name_of(key: str) -> str:
    """Return a name for whoever sends this Authorization header, without the key in it; "" if there is none."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""
