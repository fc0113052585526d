"""The registry's changes reach the pool.

What may no longer be served is unloaded; pins and time limits hold at once.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from inference.pool import pool
from inference.specs import model_spec
from registry.models import RegisteredModel


@receiver(post_save, sender=RegisteredModel)
def follow_changes(instance: RegisteredModel, **_: Any) -> None:
    if not instance.enabled:
        _unload(instance.pk)
    elif instance.pk in pool.status():
        transaction.on_commit(lambda: pool.call(pool.refresh, model_spec(instance)))


@receiver(post_delete, sender=RegisteredModel)
def unload_deleted(instance: RegisteredModel, **_: Any) -> None:
    _unload(instance.pk)


def _unload(key: int) -> None:
    """Unload once the change is visible to requests; one that came before would load the model again."""
    if key in pool.status():
        transaction.on_commit(lambda: pool.run(pool.unload(key)))
