from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from llmsite.config import PROJECT_ROOT
from registry.models import RegisteredModel
from registry.registration import RegistrationError, portable_path, register

pytestmark = pytest.mark.django_db


def test_a_wrong_default_leaves_the_model_unchanged(registered):
    with pytest.raises(RegistrationError) as caught:
        register("tiny", {"parallel": 9}, {"temperature": 3})
    assert caught.value.problems == ["temperature (3): Ensure this value is less than or equal to 2."]
    assert RegisteredModel.objects.get().parallel == 4


def test_problems_of_no_single_field_are_told_too(registered, monkeypatch):
    def clean(self):
        raise ValidationError("Something does not fit.")

    monkeypatch.setattr(RegisteredModel, "clean", clean)
    with pytest.raises(RegistrationError) as caught:
        register("tiny", {"parallel": 9}, {})
    assert caught.value.problems == ["Something does not fit."]


def test_paths_inside_the_project_become_relative(monkeypatch, tmp_path):
    monkeypatch.chdir(PROJECT_ROOT / "registry")
    assert portable_path(Path("a.gguf")) == "registry/a.gguf"
    assert portable_path(Path("../models/a.gguf")) == "models/a.gguf"
    assert portable_path(tmp_path / "a.gguf") == str(tmp_path / "a.gguf")
