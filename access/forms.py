"""The form of an API key."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models import APIKey


class APIKeyForm(forms.ModelForm):
    """Refuses keys that would be good for nothing."""

    class Meta:
        model = APIKey
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets say which

    def clean_expires_at(self) -> datetime | None:
        """Refuse a time that is over, unless it is what the key already has."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now() and "expires_at" in self.changed_data:
            raise ValidationError(_("This time is over. To end a key, revoke it."), code="over")
        return expires_at

    def clean(self) -> dict:
        """Refuse a key that may neither use a model nor manage them."""
        cleaned = super().clean()
        chosen = [cleaned.get(name) for name in ("all_models", "allowed_models", "allowed_presets", "is_admin")]
        if not any(chosen):
            text = _("Choose at least one model or preset, or allow all models.")
            raise ValidationError({"allowed_models": ValidationError(text, code="nothing_allowed")})
        return cleaned
