"""Copies of registrations and presets under names of their own, to go on from."""

from copy import copy

from django.db import models, transaction

from llmsite.config_models import MODEL_NAME_MAX_LENGTH
from registry.models import RegisteredModel
from registry.presets import Preset

SUFFIX_LENGTH = 12  # characters kept free for "-copy-" and a number


def copy_name(name: str) -> str:
    """Return NAME-copy, or the first free one of NAME-copy-2, NAME-copy-3 …; a name that is too long is cut."""
    start = f"{name[: MODEL_NAME_MAX_LENGTH - SUFFIX_LENGTH]}-copy"
    taken = {
        taken
        for model in (RegisteredModel, Preset)
        for taken in model.objects.filter(name__startswith=start).values_list("name", flat=True)
    }
    number = 1
    while (candidate := start if number == 1 else f"{start}-{number}") in taken:
        number += 1
    return candidate


@transaction.atomic
def clone_registration(model: RegisteredModel) -> RegisteredModel:
    """Return a saved, disabled copy with the same generation defaults and adapters. Presets stay with the original."""
    clone = _unsaved(model)
    clone.save()
    defaults = _unsaved_row(model.defaults)
    defaults.pk, defaults.model = clone.defaults.pk, clone
    defaults.save(force_update=True)
    adapters = [_unsaved_row(adapter) for adapter in model.loras.all()]
    for adapter in adapters:
        adapter.model = clone
        adapter.save()  # not bulk_create, which leaves no history
    clone.defaults = defaults
    return clone


@transaction.atomic
def clone_preset(preset: Preset) -> Preset:
    """Return a saved, disabled copy over the same model."""
    clone = _unsaved(preset)
    clone.save()
    return clone


def _unsaved(original: RegisteredModel | Preset) -> RegisteredModel | Preset:
    clone = _unsaved_row(original)
    clone.name, clone.enabled = copy_name(original.name), False
    return clone


def _unsaved_row(original: models.Model) -> models.Model:
    """Return a copy that is no row yet, and knows nothing of the rows that belong to the original."""
    clone = copy(original)
    clone.pk = None
    clone._state.adding = True
    clone._state.fields_cache = {}
    clone._prefetched_objects_cache = {}
    return clone
