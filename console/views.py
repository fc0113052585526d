"""The console's pages and what they load."""

from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from console.badges import counts
from console.dashboard import SEE_MODELS, SEE_USAGE, reported
from console.live import LiveDashboard, no_version
from console.usage_section import sums_version
from inference.pool import pool
from inference.pool_events import on_every_change
from inference.streaming import event_stream
from registry.queries import query, without_connection


def dashboard_events(request: HttpRequest) -> StreamingHttpResponse:
    """Send what the dashboard shows of the pool as server-sent events."""
    if not request.user.has_perm(SEE_MODELS):
        raise PermissionDenied
    version = partial(query, sums_version) if request.user.has_perm(SEE_USAGE) else no_version
    return event_stream(without_connection(LiveDashboard(pool, get_language(), version).events()))


def dashboard_report(request: HttpRequest) -> HttpResponse:
    """Return the part of the dashboard that comes from the database, for when it has changed."""
    return render(request, "console/dashboard/report.html", reported(request))


def badges(request: HttpRequest) -> StreamingHttpResponse:
    """Send the numbers in the sidebar, now and whenever the pool changes, as server-sent events."""
    return event_stream(without_connection(on_every_change(partial(query, counts))))
