"""The admin's first page: what is loaded and busy now, what requests have come to, what went wrong."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from console.first_steps import first_steps
from console.live import snapshot
from console.permissions import VIEW_MODELS, VIEW_REQUESTS, VIEW_USAGE
from console.recent_errors import recent_errors
from console.usage_section import Question, sums_version, usage_section
from inference.pool import pool


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the context of the admin's index (unfold's DASHBOARD_CALLBACK)."""
    may = request.user.has_perm
    live = snapshot(pool) if may(VIEW_MODELS) else None
    return {**context, **reported(request), "live": live, "first_steps": first_steps(request)}


def reported(request: HttpRequest) -> dict[str, Any]:
    """Return the part of the page that comes from the database, as far as the user may see it."""
    may = request.user.has_perm
    return {
        "version": sums_version() if may(VIEW_USAGE) else "",
        "usage": usage_section(Question.of(request.GET), timezone.now()) if may(VIEW_USAGE) else None,
        "errors": recent_errors(may(VIEW_REQUESTS), may(VIEW_MODELS)),
        "shows_errors": may(VIEW_REQUESTS) or may(VIEW_MODELS),
    }
