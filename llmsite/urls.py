"""Where everything is: the API under /v1, its documentation, the admin."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from inference.exceptions import error_body
from inference.views.base import CLIENT_PATHS, not_found
from inference.views.metrics import MetricsView
from inference.views.probes import healthz, readyz
from inference.views.schema import SchemaView
from llmsite.middleware import is_api
from usage.record import note_error

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/models/", include("console.add_model.urls")),
    path("admin/console/", include("console.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("v1/", include("inference.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", MetricsView.as_view()),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="swagger"),
    path("redoc", SpectacularRedocView.as_view(url_name="openapi"), name="redoc"),
    path("openapi.json", SchemaView.as_view(), name="openapi"),
    re_path(rf"^(?:.*/)?(?:{'|'.join(CLIENT_PATHS)})$", not_found),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django itself refuses, an unknown Host header above all."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    hint = "The Host header may not be used here; add the name to server.allowed_hosts in the configuration."
    note_error("host_not_allowed", hint)
    return JsonResponse(error_body(hint, "invalid_request_error", code="host_not_allowed"), status=400)


def handler500(request: HttpRequest) -> HttpResponseBase:
    """Answer an unexpected error; its traceback stands in the log."""
    if not is_api(request):
        return defaults.server_error(request)
    message = "The server had an unexpected error; its log says more."
    note_error("server_error", message)
    return JsonResponse(error_body(message, "server_error"), status=500)
