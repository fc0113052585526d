"""What a name of the API stands for: a registration, alone or with a preset's way to generate."""

from dataclasses import dataclass
from functools import cached_property

from registry.models import GenerationDefaults, RegisteredModel
from registry.presets import Preset


@dataclass(frozen=True)
class ServedModel:
    """An enabled registration under the name that the client knows it by; not to be changed.

    registration: whose file and engine answer. preset: whose name was asked for, None if it was the registration's.
    """

    registration: RegisteredModel
    preset: Preset | None = None

    @property
    def name(self) -> str:
        """The name in requests and in their answers."""
        return (self.preset or self.registration).name

    @property
    def kind(self) -> str:
        """What the registration is good for, one of Kind."""
        return self.registration.kind

    @cached_property
    def defaults(self) -> GenerationDefaults:
        """How it generates where a request says nothing. With a preset these are of no row: never save them."""
        own = self.registration.defaults
        return own.overlaid(self.preset.defaults()) if self.preset else own


def served_model(name: str) -> ServedModel:
    """Return what is served under `name`; raise RegisteredModel.DoesNotExist if it is unknown or disabled.

    All that belongs to it is fetched: what uses it may run where the database cannot be asked.
    """
    try:
        return ServedModel(RegisteredModel.objects.for_api(name))
    except RegisteredModel.DoesNotExist:
        preset = Preset.objects.for_api(name)
    if preset is None:
        raise RegisteredModel.DoesNotExist(name)
    return ServedModel(preset.model, preset)


def served_models() -> list[ServedModel]:
    """Return all that is served, by name. Takes two queries; the models' defaults are not fetched."""
    registrations = {model.pk: model for model in RegisteredModel.objects.enabled()}
    presets = Preset.objects.filter(enabled=True, model__enabled=True).defer("system_prompt")
    served = [ServedModel(model) for model in registrations.values()]
    served += [
        ServedModel(registrations[key], preset) for preset in presets if (key := preset.model_id) in registrations
    ]
    return sorted(served, key=lambda model: model.name)
