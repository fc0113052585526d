"""Copies of registrations and presets."""

import pytest

from registry.cloning import clone_preset, clone_registration, copy_name
from registry.models import LoraAdapter, Preset, RegisteredModel


@pytest.fixture
def preset(registered):
    return Preset.objects.create(name="cool", model=registered, temperature=0.2, forced={"seed": 1}, stripped=["n"])


def test_a_registration_is_copied_with_its_defaults_and_adapters_but_disabled(registered, preset):
    registered.defaults.temperature, registered.defaults.stop = 0.3, ["###"]
    registered.defaults.save()
    LoraAdapter.objects.create(model=registered, path="a.gguf", scale=0.5)
    RegisteredModel.objects.update(parallel=7, pinned=True)
    clone_registration(RegisteredModel.objects.for_api("tiny"))
    clone = RegisteredModel.objects.get(name="tiny-copy")
    assert (clone.enabled, clone.parallel, clone.pinned, clone.path) == (False, 7, True, registered.path)
    assert (clone.defaults.temperature, clone.defaults.stop) == (0.3, ["###"])
    assert [(lora.path, lora.scale) for lora in clone.loras.all()] == [("a.gguf", 0.5)]
    assert not clone.presets.exists()
    clone.full_clean()


def test_the_original_stays_as_it_is(registered, preset):
    LoraAdapter.objects.create(model=registered, path="a.gguf")
    clone_registration(registered)
    original = RegisteredModel.objects.for_api("tiny")
    assert original.enabled
    assert original.loras.count() == original.presets.count() == 1
    assert original.defaults.pk == registered.defaults.pk


def test_a_preset_is_copied_over_the_same_model_but_disabled(registered, preset):
    clone_preset(preset)
    clone = Preset.objects.get(name="cool-copy")
    assert (clone.model, clone.temperature, clone.forced, clone.stripped) == (registered, 0.2, {"seed": 1}, ["n"])
    assert (clone.enabled, Preset.objects.get(name="cool").enabled) == (False, True)


def test_copies_count_on_over_models_and_presets(registered, preset):
    preset.name = "tiny-copy-2"
    preset.save()
    names = [clone_registration(registered).name for _ in range(3)]
    assert names == ["tiny-copy", "tiny-copy-3", "tiny-copy-4"]


def test_a_long_name_is_cut_so_that_the_copys_is_allowed(db):
    model = RegisteredModel.objects.create(name="a" * 256, path="x.gguf")
    names = [clone_registration(model).name for _ in range(2)]
    assert [name[244:] for name in names] == ["-copy", "-copy-2"]
    assert copy_name("b") == "b-copy"
