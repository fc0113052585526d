"""Who may manage the models of a running server: whoever can read its configuration, and keys that are meant for it."""

import time

from django.core import signing

from access.identity import current_identity
from inference.exceptions import MayNotManage, NotAnOperator

SALT = "inference.operators"
LIFETIME = 300  # seconds


def new_token(lifetime: float = LIFETIME) -> str:
    """Return a token for the Authorization header that is good for so many seconds, signed with the secret key."""
    return signing.dumps({"until": time.time() + lifetime}, salt=SALT)


def is_operator_token(token: str) -> bool:
    """Say whether that is a token that is still good."""
    if token.count(":") != 2:  # most keys; a signature is not computed for them
        return False
    try:
        return time.time() < signing.loads(token, salt=SALT)["until"]
    except signing.BadSignature:
        return False


def require_operator() -> None:
    """Raise NotAnOperator or MayNotManage unless whoever asks may manage models."""
    identity = current_identity.get()
    if not identity.is_admin:
        raise NotAnOperator if identity.key_id is None else MayNotManage(identity.prefix)
