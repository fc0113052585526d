"""What went wrong last, with requests and with models."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from registry.models import Observation
from usage.models import RequestLog

MOST = 5


@dataclass(frozen=True)
class RecentError:
    """url: of the page that says more."""

    at: datetime
    what: str
    text: str
    url: str


def recent_errors(may_see_log: bool, may_see_models: bool) -> list[RecentError]:
    """Return the latest errors of requests and of models, the newest first."""
    found = [*(_of_requests() if may_see_log else ()), *(_of_models() if may_see_models else ())]
    return sorted(found, key=lambda error: error.at, reverse=True)[:MOST]


def _of_requests() -> Iterator[RecentError]:
    for row in RequestLog.objects.filter(error_code__gt="").order_by("-at")[:MOST]:
        url = reverse("admin:usage_requestlog_change", args=[row.pk])
        yield RecentError(row.at, row.model or row.endpoint, row.error or row.error_code, url)


def _of_models() -> Iterator[RecentError]:
    failed = Observation.objects.exclude(error="").exclude(error_at=None).select_related("model")
    for found in failed.order_by("-error_at")[:MOST]:
        url = reverse("admin:registry_registeredmodel_change", args=[found.model_id])
        yield RecentError(found.error_at, found.model.name, found.error, url)
