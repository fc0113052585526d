"""Deleting what was kept long enough: the job and `manage.py prune_usage`."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.usage.records import finished
from usage import retention
from usage.models import Capture, CapturedExchange, RequestLog, UsageHour
from usage.retention import Retention, prune
from usage.rows import log_row

NOW = timezone.now()


def log(days: float, count: int = 1) -> None:
    at = NOW - timedelta(days=days)
    RequestLog.objects.bulk_create([log_row(finished(at=at), set()) for _ in range(count)])


@pytest.fixture
def configure(settings):
    def configure(**values: object) -> None:
        usage = replace(settings.CONFIG.usage, **values)
        settings.CONFIG = replace(settings.CONFIG, usage=usage)

    return configure


def test_old_rows_go_and_young_ones_stay(db, configure):
    configure(retention_days=7)
    log(8)
    log(6)
    assert prune(NOW)["requests"] == 1
    assert RequestLog.objects.count() == 1


def test_many_rows_go_a_few_at_a_time(db, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    log(100, count=25)
    pauses = []
    assert prune(NOW, pause=pauses.append)["requests"] == 25
    assert len(pauses) == 2


def test_captured_bodies_go_when_they_expire(db):
    for hours in (-1, 1):
        CapturedExchange.objects.create(request_id=str(hours), at=NOW, expires_at=NOW + timedelta(hours=hours))
    Capture.objects.create(until=NOW - timedelta(days=100))
    counts = prune(NOW)
    assert (counts["captured"], counts["captures"]) == (1, 1)
    assert CapturedExchange.objects.get().request_id == "1"


def test_sums_by_the_hour_stay_unless_it_is_configured(db, configure):
    UsageHour.objects.create(hour=NOW - timedelta(days=500), model="demo")
    assert "hours" not in prune(NOW)
    configure(hours_retention_days=365)
    assert prune(NOW)["hours"] == 1


def test_the_command_says_what_it_deletes(db, capsys):
    log(100, count=3)
    call_command("prune_usage")
    assert "rows of the request log: 3 deleted" in capsys.readouterr().out


def test_the_command_may_keep_less(db):
    log(2)
    call_command("prune_usage", "--days=1")
    assert not RequestLog.objects.exists()


def test_the_command_refuses_nonsense(db):
    with pytest.raises(CommandError, match="--days: found -1; expected 0 to 36500"):
        call_command("prune_usage", "--days=-1")


def test_the_job_prunes_at_once_and_then_again(monkeypatch):
    times, enough = [], threading.Event()

    def count(**_: object) -> dict[str, int]:
        times.append(1)
        if len(times) == 3:
            enough.set()
        return {}

    monkeypatch.setattr(retention, "prune", count)
    job = Retention(interval=0.001)
    job.start()
    assert enough.wait(10)
    job.stop()
    assert not job._thread.is_alive()
