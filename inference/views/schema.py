"""`/openapi.json`."""

from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

_lock = Lock()


class SchemaView(SpectacularJSONAPIView):
    """Describes the API, in the same words for everybody."""

    def _get_schema_response(self, request: Request) -> Response:
        with _lock:
            return Response(_schema(settings.AUTH_REQUIRED))


@cache
def _schema(auth_required: bool) -> dict[str, Any]:
    """Make the schema, which takes a second. By one thread at a time: drf-spectacular loads its extensions then.

    auth_required: what `inference.schema.access` reads; another value makes another schema.
    """
    return SchemaGenerator(
        urlconf=spectacular_settings.SERVE_URLCONF, patterns=None, api_version=spectacular_settings.VERSION
    ).get_schema(request=None, public=True)
