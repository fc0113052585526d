"""README.md and docs/architecture.md speak of what is there."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from llmsite.config import PROJECT_ROOT

README = PROJECT_ROOT / "README.md"
RUSSIAN = PROJECT_ROOT / "README.ru.md"
ARCHITECTURE = PROJECT_ROOT / "docs" / "architecture.md"
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()


def links_of(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text())


@pytest.mark.parametrize("page", [README, RUSSIAN, *sorted((PROJECT_ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    files = [link for link in links_of(page) if not link.startswith(("http", "#"))]
    assert all((page.parent / link.split("#")[0]).exists() for link in files), files


@pytest.mark.parametrize("page", [README, RUSSIAN], ids=lambda p: p.name)
def test_links_inside_the_readme_name_its_headings(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    anchors = {f"#{heading.lower().replace(' ', '-')}" for heading in headings}
    assert {link for link in links_of(page) if link.startswith("#")} <= anchors


def test_the_readme_has_the_same_commands_in_both_languages():
    commands, russian = code_of(README), code_of(RUSSIAN)
    assert len(commands) > 5
    assert russian == commands


def test_the_readme_has_the_same_sections_in_both_languages():
    levels = [re.findall(r"^(#+) ", page.read_text(), re.MULTILINE) for page in (README, RUSSIAN)]
    assert levels[0] == levels[1]
    assert links_of(README)[0] == RUSSIAN.name


def code_of(page: Path) -> list[str]:
    """Return the code blocks without their comments, which are translated."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+# .*$", "", block, flags=re.MULTILINE) for block in blocks]


def test_commands_of_the_readme_exist():
    text = README.read_text()
    assert set(re.findall(r"manage\.py (\w+)", text)) <= set(get_commands())
    targets = re.findall(r"^(?:\w+=\S+ )*make ([\w-]+)|`make ([\w-]+)", text, re.MULTILINE)
    assert {first or second for first, second in targets} <= set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("package", ["llmsite", "inference", "usage", "access", "registry"])
def test_the_architecture_names_every_module(package):
    paths = [path for path in (PROJECT_ROOT / package).rglob("*.py") if "migrations" not in path.parts]
    modules = {path for path in paths if path.stem != "__init__"}
    text = ARCHITECTURE.read_text()
    missing = {path for path in modules if path.name not in text and f"`{path.stem}`" not in text}
    assert not missing, missing


def test_the_architecture_names_no_module_that_is_gone():
    names = {
        path.name
        for folder in ("llmsite", "console", "inference", "usage", "access", "registry", "tests")
        for path in _modules(folder)
    }
    assert set(re.findall(r"\b(\w+\.py)\b", ARCHITECTURE.read_text())) <= names


def _modules(folder: str) -> list[Path]:
    return [*(PROJECT_ROOT / folder).rglob("*.py")]
