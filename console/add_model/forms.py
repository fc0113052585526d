"""What the pages ask for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from llmsite.config_models import model_name_for
from registry.models import RegisteredModel
from registry.path_fields import ModelPathsForm
from registry.runtime_settings import RuntimeSettings


class RepositoryForm(forms.Form):
    """Whose files are to be listed."""

    repo = forms.CharField(
        label=_("Repository"),
        max_length=256,
        help_text=_("As in owner/name, or the address of its page; @revision may follow."),
    )
    token = forms.CharField(
        label=_("Token"),
        max_length=256,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Only for gated repositories. It stays in the server's memory until the server stops."),
    )


class UrlForm(forms.Form):
    """A file anywhere else."""

    url = forms.CharField(
        label=_("URL"), max_length=1024, help_text=_("Of a .gguf file; of a split model any part brings all parts.")
    )
    sha256 = forms.CharField(
        label=_("sha256"), max_length=64, required=False, help_text=_("Checked after the download, if you know it.")
    )


class PathForm(forms.Form):
    """A file that is on the server."""

    path = forms.CharField(
        label=_("Path"),
        max_length=1024,
        help_text=_("A relative one starts in the project's folder. Of a split model give the first part."),
    )


class RegisterForm(ModelPathsForm):
    """What is decided before a file becomes a model; all else can be changed on the model's page."""

    class Meta:
        model = RegisteredModel
        fields = ["name", "path", "ctx_size", "parallel"]
        widgets = {"path": forms.HiddenInput}


class EstimateForm(ModelPathsForm):
    """The settings that decide how much memory a model takes."""

    class Meta:
        model = RegisteredModel
        fields = ["path", *(field.name for field in RuntimeSettings._meta.get_fields())]

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take what a page does not ask for as it is."""
        super().__init__(*args, **kwargs)
        for name in [name for name in self.fields if name not in self.data and not self._is_box_of_page(name)]:
            del self.fields[name]

    def _is_box_of_page(self, name: str) -> bool:
        """Whether nothing was sent because a box is not ticked; a page with one of the boxes has them all."""
        is_box = isinstance(self.fields[name], forms.BooleanField)
        return is_box and "kv_type_k" in self.data


def suggested_name(path: str) -> str:
    """Return a name for a file that no model has yet."""
    start = model_name_for(path) or "model"
    taken = set(RegisteredModel.objects.filter(name__startswith=start).values_list("name", flat=True))
    names = [start, *(f"{start}-{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)
