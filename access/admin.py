"""The admin of API keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from access.describe import limits_of, models_of
from access.forms import APIKeyForm
from access.models import APIKey, State
from registry.history_admin import HistoryAdmin
from registry.strict_actions import StrictActionsMixin

LABELS = {State.ACTIVE: "success", State.EXPIRED: "warning", State.REVOKED: "danger"}


class StateFilter(admin.SimpleListFilter):
    """Active, expired or revoked keys."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list:
        """Return the choices."""
        return State.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the keys in the chosen state."""
        is_chosen = self.value() in State.values
        return queryset.in_state(State(self.value()), timezone.now()) if is_chosen else queryset


@admin.register(APIKey)
class APIKeyAdmin(StrictActionsMixin, HistoryAdmin):
    """Gives out keys, whose text is shown once, and revokes them. Everything holds for the next request."""

    form = APIKeyForm
    never_reverted = ("revoked_at", "prefix")
    can_restore = False  # nobody has the key's text any more
    list_display = ["name", "key", "owner", "models", "limits", "state", "last_used_at"]
    list_filter = [StateFilter, "is_admin", "priority", "all_models"]
    list_select_related = ["owner"]
    search_fields = ["name", "prefix", "owner__username"]
    autocomplete_fields = ["owner"]
    filter_horizontal = ["allowed_models", "allowed_presets"]
    readonly_fields = ["key", "state", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]
    actions_detail = ["revoke_one"]
    add_fieldsets = [
        (None, {"fields": ["name", "owner", "expires_at"]}),
        (_("What it may use"), {"fields": ["all_models", "allowed_models", "allowed_presets", "is_admin"]}),
        (
            _("How much it may use"),
            {
                "fields": [
                    ("requests_per_minute", "max_concurrent"),
                    ("tokens_per_minute", "tokens_per_day"),
                    "priority",
                ]
            },
        ),
    ]
    state_fieldset = (_("State"), {"fields": ["key", "state", ("created_at", "last_used_at", "revoked_at")]})

    def get_fieldsets(self, request: HttpRequest, obj: APIKey | None = None) -> list:
        """Show what has become of a key once there is one."""
        return self.add_fieldsets if obj is None else [*self.add_fieldsets, self.state_fieldset]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Fetch the names of the allowed models with the keys."""
        return super().get_queryset(request).prefetch_related("allowed_models", "allowed_presets")

    @display(description=_("key"), ordering="prefix")
    def key(self, key: APIKey) -> str:
        """Return the part that is not secret."""
        return f"{key.prefix}…"

    @display(description=_("models"))
    def models(self, key: APIKey) -> str:
        """Return what the key may use."""
        return models_of(key)

    @display(description=_("limits"))
    def limits(self, key: APIKey) -> str:
        """Return how much the key may use."""
        return limits_of(key)

    @display(description=_("state"), label=LABELS)
    def state(self, key: APIKey) -> tuple[str, str]:
        """Return what has become of the key, with the name of its colour."""
        return key.state, key.state.label

    def save_model(self, request: HttpRequest, obj: APIKey, form: APIKeyForm, change: bool) -> None:
        """Save; a new key gets its text, which is kept for the page that follows and nowhere else."""
        if not change:
            obj.text = obj.renew()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: APIKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the new key, this once."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The new API key"),
            "key": obj,
            "list_url": reverse("admin:access_apikey_changelist"),
        }
        response = TemplateResponse(request, "admin/access/apikey/created.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description=_("Revoke selected API keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """End keys for good, once that is confirmed."""
        keys = list(queryset.filter(revoked_at=None))
        if keys and "confirmed" not in request.POST:
            return self._confirmation(request, keys)
        for key in keys:
            key.revoke()
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
        text = ngettext("%d API key is revoked.", "%d API keys are revoked.", len(keys)) % len(keys)
        self.message_user(request, text, messages.SUCCESS if keys else messages.WARNING)
        return None

    @action(description=_("Revoke"), permissions=["change"], url_path="revoke")
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask whether this key is to be revoked."""
        return self._confirmation(request, list(APIKey.objects.filter(pk=object_id, revoked_at=None)))

    def _confirmation(self, request: HttpRequest, keys: list[APIKey]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Revoke API keys"),
            "keys": keys,
            "list_url": reverse("admin:access_apikey_changelist"),
        }
        return TemplateResponse(request, "admin/access/apikey/revoke.html", context)
