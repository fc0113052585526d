"""ServedModel: a registration or a preset over one."""

import pytest

from inference.specs import model_spec
from registry.models import Preset, RegisteredModel
from registry.served_model import served_model, served_models


@pytest.fixture
def preset(registered: RegisteredModel) -> Preset:
    RegisteredModel.objects.get(name="tiny").defaults.__class__.objects.update(
        temperature=0.7, top_k=20, stop=["###"], system_prompt="The model's."
    )
    return Preset.objects.create(name="strict", model=registered, temperature=0, max_tokens=9)


def test_a_preset_generates_as_its_model_where_it_says_nothing(preset):
    defaults = served_model("strict").defaults
    assert (defaults.temperature, defaults.max_tokens) == (0, 9)
    assert (defaults.top_k, defaults.stop, defaults.system_prompt) == (20, ["###"], "The model's.")
    assert defaults.pk is None


def test_the_models_own_defaults_stay_as_they_are(preset):
    served_model("strict").defaults  # noqa: B018 - builds them
    assert served_model("tiny").defaults.temperature == 0.7


def test_an_empty_list_of_stop_strings_wins_over_the_models(preset):
    Preset.objects.update(stop=[], system_prompt="Another.")
    defaults = served_model("strict").defaults
    assert (defaults.stop, defaults.system_prompt) == ([], "Another.")


def test_a_preset_is_served_by_the_engine_of_its_model(preset):
    spec, own = (model_spec(served_model(name).registration) for name in ("strict", "tiny"))
    assert (spec.key, spec.config) == (own.key, own.config)


def test_nothing_is_asked_of_the_database_once_it_is_found(preset, django_assert_num_queries):
    served = served_model("strict")
    with django_assert_num_queries(0):
        assert served.defaults.top_k == 20
        model_spec(served.registration)


def test_a_models_name_takes_two_queries_and_a_presets_three(preset, django_assert_num_queries):
    with django_assert_num_queries(2):
        served_model("tiny")
    with django_assert_num_queries(3):
        served_model("strict")


def test_the_list_is_by_name(preset):
    assert [served.name for served in served_models()] == ["strict", "tiny"]
