"""The look of the admin: what django-unfold is told (https://unfoldadmin.com/docs/configuration/settings/)."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def icon(request: HttpRequest) -> str:
    return static("console/logo.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


def badges_script(request: HttpRequest) -> str:
    return static("console/badges.js")


# Blue; lightness, chroma and hue as CSS writes them. 600 on white and 500 on 900 have a contrast of more than 4.5.
PRIMARY = {
    "50": "oklch(97.2% .014 240)",
    "100": "oklch(94% .03 240)",
    "200": "oklch(88.5% .058 240)",
    "300": "oklch(80.5% .098 240)",
    "400": "oklch(72% .13 242)",
    "500": "oklch(64% .15 245)",
    "600": "oklch(53% .155 250)",
    "700": "oklch(46% .145 253)",
    "800": "oklch(39.5% .12 255)",
    "900": "oklch(33.5% .09 257)",
    "950": "oklch(25% .065 260)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "llmsite",
    "SITE_HEADER": "llmsite",
    "SITE_SUBHEADER": _("Models and their API"),
    "SITE_URL": None,
    "SITE_ICON": icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": PRIMARY},
    "STYLES": [stylesheet],
    "SCRIPTS": [badges_script],
    "DASHBOARD_CALLBACK": "console.dashboard.add_dashboard",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "console.navigation.navigation"},
}
