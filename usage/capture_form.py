"""The form that switches capture on."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from access.models import APIKey
from registry.models import Preset, RegisteredModel
from usage.capture import MOST_MINUTES
from usage.models import Capture


class CaptureForm(forms.ModelForm):
    """For how long, and of which requests, bodies are kept."""

    minutes = forms.IntegerField(
        label=_("minutes"),
        min_value=1,
        max_value=MOST_MINUTES,
        initial=15,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("From now on, 1 to 1440 (a day). Then it stops by itself."),
    )
    model = forms.ChoiceField(
        label=_("model"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Only requests that name it. Empty: requests to all models."),
    )
    key = forms.ModelChoiceField(
        label=_("API key"),
        queryset=APIKey.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Only requests with it. Empty: requests with any key, and without one."),
    )

    class Meta:
        model = Capture
        fields = ["minutes", "model", "key"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [*RegisteredModel.objects.values_list("name"), *Preset.objects.values_list("name")]
        self.fields["model"].choices = [("", _("all models")), *((name, name) for (name,) in sorted(names))]
