"""What stands in the sidebar. A new page is one more `Item`; its name is that of its URL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from console.badges import failed_models, loaded_models


@dataclass(frozen=True)
class Badge:
    """A number beside an item, left out while it is 0. name: how the page's script finds it."""

    name: str
    variant: str
    count: Callable[[], int]


@dataclass(frozen=True)
class Item:
    """A link. icon: a name of Material Symbols. permission: who sees it; None: whoever may enter the admin."""

    title: str | Promise
    icon: str
    url_name: str
    permission: str | None = None
    badge: Badge | None = None
    query: str = ""


@dataclass(frozen=True)
class Group:
    title: str | Promise
    items: tuple[Item, ...]


LOADED = Badge("loaded", "success", loaded_models)
FAILED = Badge("failed", "danger", failed_models)

GROUPS = (
    Group(
        _("Overview"),
        (Item(_("Dashboard"), "dashboard", "admin:index"),),
    ),
    Group(
        _("Models"),
        (
            Item(
                _("Models"),
                "deployed_code",
                "admin:registry_registeredmodel_changelist",
                "registry.view_registeredmodel",
                LOADED,
            ),
            Item(
                _("Failed models"),
                "error",
                "admin:registry_registeredmodel_changelist",
                "registry.view_registeredmodel",
                FAILED,
                query="?run=failed",
            ),
            Item(_("Add a model"), "add_circle", "add_model:choose", "registry.add_registeredmodel"),
            Item(_("Downloads"), "download", "admin:registry_download_changelist", "registry.view_download"),
            Item(_("Presets"), "tune", "admin:registry_preset_changelist", "registry.view_preset"),
            Item(_("Playground"), "chat", "console:playground", "registry.view_registeredmodel"),
            Item(_("LibreChat"), "integration_instructions", "console:librechat", "registry.view_registeredmodel"),
        ),
    ),
    Group(
        _("Access"),
        (
            Item(_("API keys"), "key", "admin:access_apikey_changelist", "access.view_apikey"),
            Item(_("Users"), "person", "admin:auth_user_changelist", "auth.view_user"),
            Item(_("Groups"), "groups", "admin:auth_group_changelist", "auth.view_group"),
        ),
    ),
    Group(
        _("Usage"),
        (
            Item(_("Usage"), "monitoring", "console:usage", "usage.view_usagehour"),
            Item(_("Request log"), "receipt_long", "admin:usage_requestlog_changelist", "usage.view_requestlog"),
            Item(_("Captures"), "radio_button_checked", "admin:usage_capture_changelist", "usage.view_capture"),
            Item(
                _("Captured bodies"),
                "article",
                "admin:usage_capturedexchange_changelist",
                "usage.view_capturedexchange",
            ),
            Item(
                _("Stored responses"),
                "forum",
                "admin:inference_storedresponse_changelist",
                "inference.view_storedresponse",
            ),
        ),
    ),
    Group(
        _("Help"),
        (
            Item(_("API documentation"), "api", "swagger"),
            Item(_("API reference"), "menu_book", "redoc"),
        ),
    ),
)


QUERIES = {item.query[1:] for group in GROUPS for item in group.items if item.query}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups as unfold's sidebar takes them, with what the user may see."""
    return [
        {"title": group.title, "separator": True, "items": [_entry(item, request) for item in items]}
        for group in GROUPS
        if (items := [item for item in group.items if _is_shown(item, request)])
    ]


def _is_shown(item: Item, request: HttpRequest) -> bool:
    return item.permission is None or request.user.has_perm(item.permission)


def _entry(item: Item, request: HttpRequest) -> dict[str, Any]:
    link = reverse(item.url_name)
    badge = item.badge
    shown = {"badge": badge.count(), "badge_variant": badge.variant, "badge_name": badge.name} if badge else {}
    is_active = _is_at(request, link, item.query)
    return {"title": capfirst(item.title), "icon": item.icon, "link": link + item.query, "active": is_active, **shown}


def _is_at(request: HttpRequest, link: str, query: str) -> bool:
    """Whether the page is the item's, or one below it; of two items with the same address, the one with its query."""
    if link == reverse("admin:index") or query:
        return request.path == link and request.GET.urlencode() == query[1:]
    return request.path.startswith(link) and request.GET.urlencode() not in QUERIES
