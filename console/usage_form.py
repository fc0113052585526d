"""What the usage page is asked for."""

from datetime import date, datetime, timedelta
from datetime import timezone as zones
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.models import UsageStep
from usage.report import GROUPS, Report, key_names
from usage.sums import key_days_from, steps_from

DAYS = 30  # shown if nothing is said
EVER = datetime(2000, 1, 1, tzinfo=zones.utc)  # before the first request

DEFAULT_GROUPS = ["day"]


class UsageForm(forms.Form):
    """The days, by what they are summed up, and whose they are."""

    first = forms.DateField(label=_("From"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label=_("to"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    by = forms.MultipleChoiceField(label=_("By"), choices=GROUPS.items(), widget=forms.CheckboxSelectMultiple)
    model = forms.ChoiceField(label=_("Model"), required=False)
    key = forms.ChoiceField(label=_("API key"), required=False)

    def __init__(self, query: Any) -> None:
        today = timezone.localdate()
        usual = {"first": today - timedelta(days=DAYS - 1), "last": today, "by": DEFAULT_GROUPS}
        asked = {name: query.getlist(name) if name == "by" else query.get(name) for name in self.base_fields}
        super().__init__({**usual, **{name: value for name, value in asked.items() if value}}, label_suffix="")
        self.fields["model"].choices = _with_all(_("all models"), _models(), self.data.get("model"))
        self.fields["key"].choices = _with_all(_("all keys"), _keys(), self.data.get("key"))

    def clean(self) -> dict[str, Any]:
        """Refuse a time that ends before it begins."""
        data = super().clean()
        first, last = data.get("first"), data.get("last")
        if first and last and first > last:
            self.add_error("last", _("%(last)s is before %(first)s.") % {"last": last, "first": first})
        return data

    def report(self) -> Report:
        """Return the report that is asked for, of a valid form."""
        data = self.cleaned_data
        groups = tuple(name for name in GROUPS if name in data["by"])
        return Report(data["first"], data["last"], groups, data["model"], data["key"])


def _with_all(text: str, names: dict[str, str], chosen: str | None) -> list[tuple[str, str]]:
    """Return the choices; what is chosen is one of them, also when nothing is left of it."""
    more = {chosen: chosen} if chosen else {}
    return [("", text), *sorted((more | names).items(), key=lambda item: item[1].lower())]


def _models() -> dict[str, str]:
    days = steps_from(UsageStep.DAY, EVER).exclude(model__in=("", UsageStep.ALL_MODELS))
    return {name: name for name in days.values_list("model", flat=True).distinct()}


def _keys() -> dict[str, str]:
    """Return the keys that were used: by their prefixes, their names and prefixes."""
    used, names = key_days_from(EVER).values_list("key_prefix", flat=True).distinct(), key_names()
    return {prefix: f"{names.get(prefix, '')} ({prefix}…)".lstrip() for prefix in used if prefix}


def date_stamp(first: date, last: date) -> str:
    """Return both days as a part of a file name."""
    return f"{first:%Y-%m-%d}_{last:%Y-%m-%d}"
