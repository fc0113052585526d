"""What changes about keys, and about the names that they allow, holds for the next request."""

from typing import Any

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from access.key_ring import key_ring
from access.models import APIKey
from registry.models import Preset, RegisteredModel


def forget_keys(**_: Any) -> None:
    """Have keys looked up again once the change is there for others to see."""
    transaction.on_commit(key_ring.forget)


for sender in (APIKey, RegisteredModel, Preset):
    post_save.connect(forget_keys, sender=sender)
    post_delete.connect(forget_keys, sender=sender)
for relation in (APIKey.allowed_models, APIKey.allowed_presets):
    m2m_changed.connect(forget_keys, sender=relation.through)
