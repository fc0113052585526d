"""The presets of a model on the model's own page."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from registry.models import RegisteredModel

MAX_LINKS = 20


class PresetLinksMixin:
    """For the admin of models: `preset_fieldsets` are to be shown, and `preset_links` is to be a readonly field."""

    def preset_fieldsets(self, request: HttpRequest, model: RegisteredModel) -> list:
        """Return the fieldset of the links, with one to add a preset; nothing for who may not see presets."""
        if not request.user.has_perm("registry.view_preset"):
            return []
        url = f"{reverse('admin:registry_preset_add')}?model={model.pk}"
        add = format_html('<a href="{}">{}</a>', url, _("Add a preset"))
        may_add = request.user.has_perm("registry.add_preset")
        return [(_("Presets"), {"fields": ["preset_links"], **({"description": add} if may_add else {})})]

    @admin.display(description=_("presets"))
    def preset_links(self, model: RegisteredModel) -> SafeString:
        """Return how many presets the model has, and links to them."""
        found = list(model.presets.values_list("pk", "name")[: MAX_LINKS + 1])
        rows = [(reverse("admin:registry_preset_change", args=[key]), name) for key, name in found[:MAX_LINKS]]
        links = format_html_join(", ", '<a href="{}">{}</a>', rows)
        if len(found) <= MAX_LINKS:
            return format_html("{}: {}", len(found), links) if found else SafeString("0")
        url = f"{reverse('admin:registry_preset_changelist')}?model__id__exact={model.pk}"
        return format_html('<a href="{}">{}</a>: {} …', url, model.presets.count(), links)
