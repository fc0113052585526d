"""The registry's changes reach the pool: a model that may no longer be served is unloaded."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from inference.pool import pool
from registry.models import RegisteredModel


@receiver(post_save, sender=RegisteredModel)
def unload_disabled(instance: RegisteredModel, **_: Any) -> None:
    if not instance.enabled:
        _unload(instance.pk)


@receiver(post_delete, sender=RegisteredModel)
def unload_deleted(instance: RegisteredModel, **_: Any) -> None:
    _unload(instance.pk)


def _unload(key: int) -> None:
    """Unload once the change is visible to requests; one that came before would load the model again."""
    if key in pool.status():
        transaction.on_commit(lambda: pool.run(pool.unload(key)))
