"""Who a request comes from, and what it may do."""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass

from access.models import APIKey, Priority


@dataclass(frozen=True)
class Limits:
    """How much a sender may use; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    max_concurrent: int | None = None


@dataclass(frozen=True)
class Identity:
    """A sender of requests.

    client: a name for it, without its key, among which what there is is shared out evenly; "" for all who send none.
    key_id, prefix: of a key of the database; None and "" for anybody else.
    is_admin: whether it may manage models.
    names: the models and presets that exist for it; None for all.
    priority: a plain number, since engines know nothing of Django.
    """

    client: str = ""
    key_id: int | None = None
    prefix: str = ""
    is_admin: bool = False
    names: frozenset[str] | None = None
    limits: Limits = Limits()
    priority: int = int(Priority.NORMAL)

    def may_use(self, name: str) -> bool:
        """Say whether the model or preset of that name exists for this sender."""
        return self.names is None or name in self.names


ANYBODY = Identity()
OPERATOR = Identity("operator", is_admin=True)

# Of the task that serves the request: what is far below, such as the engine's queue, need not be handed it by all in
# between.
current_identity: ContextVar[Identity] = ContextVar("current_identity", default=ANYBODY)


def unknown(text: str) -> Identity:
    """Return the identity of whoever sends this text as a key, where keys are not required."""
    return Identity(hashlib.sha256(text.encode()).hexdigest()[:16]) if text else ANYBODY


def identity_of(key: APIKey) -> Identity:
    """Return the identity of a key's owner. Asks the database which models it may use."""
    return Identity(
        client=f"key-{key.pk}",
        key_id=key.pk,
        prefix=key.prefix,
        is_admin=key.is_admin,
        names=None if key.all_models else key.allowed_names(),
        limits=Limits(key.requests_per_minute, key.tokens_per_minute, key.tokens_per_day, key.max_concurrent),
        priority=int(key.priority),
    )
