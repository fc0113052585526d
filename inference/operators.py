"""Who may manage the models of a running server: whoever can read its configuration."""

from django.core import signing
from django.http import HttpRequest

from inference.exceptions import NotAnOperator

SALT = "inference.operators"
LIFETIME = 300  # seconds


def new_token(lifetime: float = LIFETIME) -> str:
    """Return a token for the Authorization header, signed with the server's secret key."""
    return signing.dumps({"lifetime": lifetime}, salt=SALT)


def require_operator(request: HttpRequest) -> None:
    """Raise NotAnOperator unless the request has a token that is still good."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        lifetime = signing.loads(token, salt=SALT)["lifetime"]
        signing.loads(token, salt=SALT, max_age=lifetime)
    except signing.BadSignature:
        raise NotAnOperator from None
