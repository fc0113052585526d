"""Fixtures that several tests share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from django.utils import translation

from inference.pool import pool
from tests import live_server, pooling_models, tiny_models
from tests.browser import Browser
from tests.live_server import DEMO, LiveServer

# Engines in the tests' own processes mind no neighbours (spinning.py), and several compute at once.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


@pytest.fixture(autouse=True)
def open_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process-wide pool is open for each test, whatever another one has done to it."""
    monkeypatch.setattr(pool, "is_closing", False)


@pytest.fixture(autouse=True)
def no_language() -> Iterator[None]:
    """A page in Russian leaves its language with the thread, and the next test would get Russian messages."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server with the demo model, one for the whole session."""
    folder = tmp_path_factory.mktemp("server")
    live_server.set_up(folder, cors={"allowed_origins": ["http://localhost:3080"]})
    server = live_server.start(folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pooling_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server with embedding and rerank models, and the demo model, one for the whole session."""
    folder = tmp_path_factory.mktemp("pooling_server")
    paths = {
        "bert": pooling_models.write_bert(folder / "bert.gguf"),
        "causal": pooling_models.write_causal_embedder(folder / "causal.gguf"),
        "ranker": pooling_models.write_bert(folder / "ranker.gguf", pooling=None, has_head=True),
        "yes-no": pooling_models.write_yes_no_reranker(folder / "yes-no.gguf"),
        "demo": live_server.DEMO,
    }
    live_server.set_up(folder, models=[{"name": name, "path": str(path)} for name, path in paths.items()])
    server = live_server.start(folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tiny_models.Kind], Path]:
    """Returns a tiny random language model of a kind, written once for the whole session."""
    folder = tmp_path_factory.mktemp("tiny_models")

    def tiny_model(kind: tiny_models.Kind) -> Path:
        path = folder / f"{kind}.gguf"
        return path if path.exists() else tiny_models.write_tiny_model(path, kind)

    return tiny_model


@pytest.fixture
def openai_client(server: LiveServer) -> Iterator[openai.OpenAI]:
    """The official client; it does not retry, so that every error shows."""
    with openai.OpenAI(base_url=server.base_url, api_key="any text", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def browser(server: LiveServer) -> Iterator[Browser]:
    """The administrator of the live server."""
    browser = Browser(server)
    yield browser
    browser.http.close()


@pytest.fixture
def register(server: LiveServer, browser: Browser) -> Iterator[Callable[..., str]]:
    """Registers a further model for the time of a test, with another chat template if wanted."""
    names = []

    def register(name: str, path: Path = DEMO, *options: str, chat_template: str = "") -> str:
        assert server.manage("register_model", str(path), "--name", name, *options).returncode == 0
        if chat_template:
            found = f"from registry.models import RegisteredModel; RegisteredModel.objects.filter(name={name!r})"
            code = f"{found}.update(chat_template_override={chat_template!r})"
            assert server.manage("shell", "-c", code).returncode == 0
        browser.act("enable", name)  # an earlier test may have left it disabled
        names.append(name)
        return name

    yield register
    for name in names:
        browser.act("disable", name)
        server.wait_for(f"'{name}' not in names")
