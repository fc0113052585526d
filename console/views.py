"""The console's pages and what they load."""

from functools import partial

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from console.badges import counts
from console.dashboard import reported
from console.live import LiveDashboard, no_version
from console.permissions import VIEW_MODELS, VIEW_USAGE, guarded
from console.usage_section import sums_version
from inference.pool import pool
from inference.pool_events import on_every_change
from inference.streaming import event_stream
from registry.queries import query, without_connection


@guarded(VIEW_MODELS)
def dashboard_events(request: HttpRequest) -> StreamingHttpResponse:
    """Send what the dashboard shows of the pool as server-sent events."""
    version = partial(query, sums_version) if request.user.has_perm(VIEW_USAGE) else no_version
    return event_stream(without_connection(LiveDashboard(pool, get_language(), version).events()))


@guarded()
def dashboard_report(request: HttpRequest) -> HttpResponse:
    """Return the part of the dashboard that comes from the database, for when it has changed."""
    return render(request, "console/dashboard/report.html", reported(request))


@guarded(VIEW_MODELS)
def badges(request: HttpRequest) -> StreamingHttpResponse:
    """Send the numbers in the sidebar, now and whenever the pool changes, as server-sent events."""
    return event_stream(without_connection(on_every_change(partial(query, counts))))
