"""Takes the pictures of the documentation: `python -m tests.screenshots [FOLDER]`.

A server starts with a fresh database and the demo model. The last day's usage is made up; the rest really happens.
"""

import argparse
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from tests import live_server
from tests.live_server import ADMIN_PASSWORD, ROOT, LiveServer
from tests.pages.conftest import ARGUMENTS

VIEWPORT = {"width": 1280, "height": 800}
NAMES = ("assistant", "summaries", "translator", "support")
KEYS = ("LibreChat", "Nightly reports", "Support desk")
QUESTIONS = ("What is the capital of France?", "Count to 30.", "My name is Ada.", "Hello")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    target = parser.parse_args().folder
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (server, keys):
        ask(server, keys)
        with admin_page(server) as page:
            take_all(page, server.url, target)


@contextmanager
def running_server(folder: Path) -> Iterator[tuple[LiveServer, list[str]]]:
    """Give a server with sample registrations, and the texts of its keys."""
    models = [{"name": name, "path": "demo/demo.gguf", "parallel": 8} for name in NAMES]
    live_server.set_up(folder, models=models)
    filled = live_server.manage(folder, "shell", "-v0", "-c", "from tests.screenshots import fill; fill()")
    assert filled.returncode == 0, filled.stderr
    server = live_server.start(folder)
    try:
        yield server, filled.stdout.split()
    finally:
        server.stop()


def fill() -> None:
    """Make keys, a preset and the usage of a day, inside the server's Django; print the keys."""
    from access.models import APIKey
    from registry.models import Preset, RegisteredModel
    from usage.models import UsageHour, UsageStep
    from usage.steps import steps_of

    Preset.objects.create(name="assistant-short", model=RegisteredModel.objects.get(name="assistant"), max_tokens=60)
    made = [APIKey.create(name) for name in KEYS]
    hours = list(sample_hours([key for key, _ in made]))
    UsageHour.objects.bulk_create(hours)
    UsageStep.objects.bulk_create(steps_of(hours))
    print(*(text for _, text in made))


def sample_hours(keys: list) -> Iterator:
    """Yield the made-up hours: busy by day, quiet by night."""
    from usage.models import FIRST_TOKEN_BOUNDS, UsageHour

    chance = random.Random(6)
    now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    for ago in range(1, 7 * 24):
        hour = now - timedelta(hours=ago)
        for place, (name, key) in enumerate(zip(NAMES, [*keys, keys[0]], strict=True)):
            count = chance.randrange(20, 60) // (place + 1) if 7 <= hour.hour < 20 else chance.randrange(1, 6)
            counts = [0] * (len(FIRST_TOKEN_BOUNDS) + 1)
            for _ in range(count):
                counts[min(20, max(0, int(chance.gauss(8, 2))))] += 1
            tokens = {"prompt_tokens": count * 420, "cached_tokens": count * 300, "completion_tokens": count * 130}
            named = {"hour": hour, "model": name, "key": key, "key_prefix": key.prefix}
            errors = int(chance.random() < 0.05)
            yield UsageHour(
                **named, **tokens, requests=count, errors=errors, total_ms=count * 1900, first_token_counts=counts
            )


def ask(server: LiveServer, keys: list[str]) -> None:
    """Send some real requests with each key."""
    for key, name in zip(keys, NAMES, strict=False):
        for question in QUESTIONS:
            body = {"model": name, "messages": [{"role": "user", "content": question}]}
            headers = {"Authorization": f"Bearer {key}"}
            answer = httpx.post(f"{server.base_url}/chat/completions", json=body, headers=headers, timeout=120)
            answer.raise_for_status()


@contextmanager
def admin_page(server: LiveServer) -> Iterator[Page]:
    """Give the page of an administrator who has logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(ARGUMENTS)
        )
        page = browser.new_page(viewport=VIEWPORT, locale="en-GB", color_scheme="light")
        page.goto(f"{server.url}/admin/login/?next=/admin/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        yield page
        browser.close()


def take_all(page: Page, url: str, target: Path) -> None:
    def take(name: str) -> None:
        page.screenshot(path=target / f"{name}.png", animations="disabled")

    page.goto(f"{url}/admin/")
    expect(page.locator("#dash-connection")).to_have_text("live")
    expect(page.locator("figure.dash-chart svg").first).to_be_visible()
    take("dashboard")
    page.goto(f"{url}/admin/models/add/")
    take("add-model")
    page.goto(f"{url}/admin/console/playground/?model=assistant")
    converse(page)
    take("playground")
    page.goto(f"{url}/admin/console/usage/?by=day&by=model")
    take("usage")
    page.goto(f"{url}/admin/registry/registeredmodel/")
    take("models")
    page.get_by_role("link", name="assistant", exact=True).first.click()
    expect(page.locator(".estimate")).to_contain_text("MiB", timeout=60_000)
    take("model-form")


def converse(page: Page) -> None:
    """Ask two questions in the playground and wait for the answers."""
    expect(page.locator("#context")).to_contain_text("2048")
    for question in QUESTIONS[:2]:
        page.fill("#message", question)
        page.press("#message", "Enter")
        expect(page.locator("#transcript li.message-assistant").last).to_be_visible()
        expect(page.locator("#send")).to_be_visible(timeout=60_000)


if __name__ == "__main__":
    main()
