"""Forms whose paths must lie in the model folders. What was registered elsewhere before may be saved unchanged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django import forms

from llmsite.config import resolve_path
from registry.gguf import part_paths
from registry.model_folders import refuse_outside


def _clean(name: str) -> Callable[[forms.ModelForm], str]:
    def clean(form: forms.ModelForm) -> str:
        path = form.cleaned_data[name]
        if path and path != form.initial.get(name):
            for part in part_paths(resolve_path(path)):
                refuse_outside(_as_written(path, part))
        return path

    return clean


def _as_written(path: str, part: Path) -> str:
    return str(Path(path).with_name(part.name))


class ModelPathsForm(forms.ModelForm):
    """The form of a registration."""

    clean_path: Any = _clean("path")
    clean_draft_model: Any = _clean("draft_model")


class AdapterPathForm(forms.ModelForm):
    """The form of a LoRA adapter."""

    clean_path: Any = _clean("path")
