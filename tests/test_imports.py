"""Which way imports point."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules loaded after running `code` in a fresh interpreter."""
    program = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_web_process_never_imports_llama_cpp():
    code = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import llmsite.asgi, llmsite.urls"
    loaded = loaded_after(code)
    assert "django" in loaded
    assert not loaded & {"llama_cpp", "torch"}


@pytest.mark.parametrize("module", [path.stem for path in (ROOT / "inference" / "engine").glob("[a-z]*.py")])
def test_the_engine_knows_neither_django_nor_asyncio(module):
    loaded = loaded_after(f"import inference.engine.{module}")
    assert not loaded & {"django", "rest_framework", "asyncio"}


def test_the_registry_does_not_import_inference():
    for path in (ROOT / "registry").rglob("*.py"):
        assert "inference" not in path.read_text(), path


def test_usage_does_not_import_inference():
    for path in (ROOT / "usage").rglob("*.py"):
        assert "from inference" not in path.read_text(), path
