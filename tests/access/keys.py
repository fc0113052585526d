"""A running server with keys of every kind, for tests that ask it."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import live_server
from tests.live_server import DEMO, LiveServer

BAD = "sk-" + "x" * 43
MAKE_KEYS = """
import json
from datetime import timedelta
from django.utils import timezone
from access.models import APIKey
from registry.models import RegisteredModel

past = timezone.now() - timedelta(days=1)
kinds = {
    "expired": {"expires_at": past},
    "revoked": {"revoked_at": past},
    "other": {"all_models": False},
    "ok": {},
    "admin": {"is_admin": True},
}
made = {name: APIKey.create(name, **fields) for name, fields in kinds.items()}
made["other"][0].allowed_models.add(RegisteredModel.objects.get(name="other"))
print(json.dumps({name: text for name, (_, text) in made.items()}))
"""


@dataclass
class Keys:
    """`texts` by kind: none, bad, expired, revoked, other (may use the model `other` alone), ok, admin."""

    server: LiveServer
    texts: dict[str, str]
    http: httpx.Client

    def headers(self, kind: str) -> dict[str, str]:
        return bearer(self.texts[kind]) if kind != "none" else {}

    def stop(self) -> None:
        self.http.close()
        self.server.stop()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def start(folder: Path, **sections: object) -> Keys:
    """Start a server that serves the demo model under two names, and make keys."""
    models = [{"name": name, "path": str(DEMO), "ctx_size": 512, "parallel": 8} for name in ("demo", "other")]
    live_server.set_up(folder, models=models, **sections)
    made = live_server.manage(folder, "shell", "-c", MAKE_KEYS)
    assert made.returncode == 0, made.stderr
    texts = {"bad": BAD, **json.loads(made.stdout.splitlines()[-1])}
    server = live_server.start(folder)
    return Keys(server, texts, httpx.Client(base_url=server.url, timeout=60))


def create_key(server: LiveServer, *options: str) -> str:
    """Make a further key with the command; return its text."""
    made = server.manage("create_key", "--name", "test", *options)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()
