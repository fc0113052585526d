"""`/metrics`, for Prometheus."""

import asyncio

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from rest_framework.request import Request

from inference.operators import require_operator
from inference.pool import pool
from inference.pool.metrics import pool_metrics
from inference.views.api_view import APIView
from usage.metrics import REGISTRY


class MetricsView(APIView):
    @extend_schema(exclude=True)
    async def get(self, request: Request) -> HttpResponse:
        """Answer in the format that the Accept header asks for, the text format of Prometheus or OpenMetrics."""
        if not settings.CONFIG.metrics.public:
            require_operator()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        now = pool_metrics(pool.residents, pool.room.limit)
        # With a thousand models there are many lines.
        text = await asyncio.to_thread(lambda: encode(Snapshot(now)))
        return HttpResponse(text, content_type=content_type)


class Snapshot:
    """A registry, as the encoders see one: all that is counted, with the state of the pool at one moment."""

    def __init__(self, pool_metrics: list[Metric]) -> None:
        self._pool_metrics = pool_metrics

    def collect(self) -> list[Metric]:
        return [*REGISTRY.collect(), *self._pool_metrics]
