"""These tests need more packages: `make test-clients` installs and runs them."""

from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent


@pytest.fixture(autouse=True)
def no_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    """LangChain would report its runs to LangSmith wherever the environment says so."""
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
