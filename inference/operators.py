"""Who may manage the models of a running server: whoever can read its configuration."""

import time

from django.core import signing
from django.http import HttpRequest

from inference.exceptions import NotAnOperator

SALT = "inference.operators"
LIFETIME = 300  # seconds


def new_token(lifetime: float = LIFETIME) -> str:
    """Return a token for the Authorization header that is good for so many seconds, signed with the secret key."""
    return signing.dumps({"until": time.time() + lifetime}, salt=SALT)


def require_operator(request: HttpRequest) -> None:
    """Raise NotAnOperator unless the request has a token that is still good."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        is_good = time.time() < signing.loads(token, salt=SALT)["until"]
    except signing.BadSignature:
        is_good = False
    if not is_good:
        raise NotAnOperator
