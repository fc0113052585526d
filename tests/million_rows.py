"""Measures the admin's pages with 1,000 registrations and 1,000,000 requests in the log, on SQLite.

    python -m tests.million_rows [--rows 1000000] [--models 1000] [--keys 50] [--folder DIR]

The requests are those of the last 30 days; half of them go to ten models, and half come with five keys. With --folder
the database stays for the next run. Times are medians of 7, in one process, without the network.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from tests.live_server import write_config

TIMES = 7
PAGES = {
    "dashboard, 24 hours": "/admin/",
    "dashboard, 7 days": "/admin/?range=7d",
    "dashboard, 30 days": "/admin/?range=30d",
    "dashboard, 30 days, one model": "/admin/?range=30d&model=model-0001",
    "models": "/admin/registry/registeredmodel/",
    "request log": "/admin/usage/requestlog/",
    "request log, page 1,000": "/admin/usage/requestlog/?p=1000",
    "request log, one model": "/admin/usage/requestlog/?model=model-0500",
    "request log, one key": "/admin/usage/requestlog/?api_key=40",
    "request log, errors": "/admin/usage/requestlog/?outcome=error",
    "request log, failed (5xx)": "/admin/usage/requestlog/?outcome=5xx",
    "request log, slow ones": "/admin/usage/requestlog/?slow=60",
    "request log, search by id": "/admin/usage/requestlog/?q=request-500000",
    "usage by day, 30 days": "/admin/console/usage/",
    "usage by model and key, 30 days": "/admin/console/usage/?by=model&by=key",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        begin(folder)
        fill(options)
        measure()


def begin(folder: Path) -> None:
    write_config(folder)
    os.environ |= {"CONFIG_PATH": str(folder / "config.yml"), "DJANGO_SETTINGS_MODULE": "llmsite.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def fill(options: argparse.Namespace) -> None:
    from usage.models import RequestLog, UsageHour, UsageStep
    from usage.steps import steps_of

    if RequestLog.objects.exists():
        return
    models = register(options.models)
    keys = create_keys(options.keys)
    hours: dict[tuple, list] = {}
    _insert(RequestLog, requests(options.rows, models, keys, hours))
    _insert(UsageHour, ((*key, *sums[:-1], json.dumps(sums[-1])) for key, sums in hours.items()))
    UsageStep.objects.bulk_create(steps_of(UsageHour.objects.iterator()), batch_size=1000)
    print(f"{RequestLog.objects.count():,} requests, {UsageHour.objects.count():,} hours")


def register(count: int) -> list[str]:
    from registry.models import GenerationDefaults, RegisteredModel

    names = [f"model-{number:04}" for number in range(1, count + 1)]
    RegisteredModel.objects.bulk_create(RegisteredModel(name=name, path=f"models/{name}.gguf") for name in names)
    GenerationDefaults.objects.bulk_create(GenerationDefaults(model=model) for model in RegisteredModel.objects.all())
    return names


def create_keys(count: int) -> list[tuple[int, str]]:
    from access.models import APIKey

    keys = [APIKey.create(f"client {number}")[0] for number in range(count)]
    return [(key.pk, key.prefix) for key in keys]


LOG_COLUMNS = (
    *("at", "request_id", "endpoint", "model", "key_id", "key_prefix", "status", "error_code", "error", "streamed"),
    *("finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
    *("queue_ms", "first_token_ms", "total_ms"),
)
HOUR_COLUMNS = (
    *("hour", "model", "key_id", "key_prefix", "requests", "errors", "prompt_tokens", "cached_tokens"),
    *("completion_tokens", "total_ms", "first_token_counts"),
)


def requests(count: int, models: list[str], keys: list[tuple[int, str]], hours: dict[tuple, list]) -> Iterator[tuple]:
    """Yield rows of the log, the oldest first, and sum them up in `hours`."""
    from usage.models import FIRST_TOKEN_BOUNDS

    chance = random.Random(6)
    now = datetime.now(timezone.utc)
    for number in range(count):
        at = now - timedelta(days=30) * (1 - number / count)
        model = chance.choice(models[:10] if chance.random() < 0.5 else models)
        key, prefix = chance.choice(keys[:5] if chance.random() < 0.5 else keys)
        is_error = chance.random() < 0.01
        first = int(chance.lognormvariate(6, 1))
        prompt, cached, answer = chance.randrange(4000), chance.randrange(2000), chance.randrange(600)
        total = first + answer * 30
        outcome = (503, "load_failed", "no memory") if is_error else (200, "", "")
        yield (
            *(at, f"request-{number}", "/v1/chat/completions", model, key, prefix, *outcome, True, "stop"),
            *(prompt, cached, answer, 0, 3, first, total),
        )
        hour = at.replace(minute=0, second=0, microsecond=0)
        sums = hours.setdefault((hour, model, key, prefix), [0] * 6 + [[0] * (len(FIRST_TOKEN_BOUNDS) + 1)])
        for place, value in enumerate((1, is_error, prompt, cached, answer, total)):
            sums[place] += value
        sums[-1][bisect_left(FIRST_TOKEN_BOUNDS, first)] += 1


def _insert(model: type, rows: Iterator[tuple]) -> None:
    from django.db import connection, transaction

    columns = LOG_COLUMNS if model.__name__ == "RequestLog" else HOUR_COLUMNS
    places = ", ".join(["%s"] * len(columns))
    with transaction.atomic(), connection.cursor() as cursor:
        statement = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places})"
        texts = (tuple(str(value)[:26] if isinstance(value, datetime) else value for value in row) for row in rows)
        cursor.executemany(statement, texts)


def measure() -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    user, _ = get_user_model().objects.get_or_create(username="admin", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)

    def get(url: str) -> None:
        assert client.get(url).status_code == 200, url

    print("| page | ms | queries |\n|---|---|---|")
    for name, url in PAGES.items():
        get(url)
        with CaptureQueriesContext(connection) as queries:
            get(url)
            count = len(queries)
        print(f"| {name} | {median_ms(partial(get, url)):.0f} | {count} |")


def median_ms(work: Callable[[], None]) -> float:
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
