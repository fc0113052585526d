"""Fixtures that several tests share."""

from collections.abc import Iterator

import openai
import pytest

from tests import live_server
from tests.browser import Browser
from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server with the demo model, one for the whole session."""
    folder = tmp_path_factory.mktemp("server")
    live_server.write_config(folder, cors={"allowed_origins": ["http://localhost:3080"]})
    setup = live_server.manage(folder, "setup")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    server = live_server.start(folder)
    yield server
    server.stop()


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
