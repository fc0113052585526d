import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    """Run `list_models`; return its output."""

    def run(*options):
        call_command("list_models", *options)
        return capsys.readouterr().out

    return run


def test_the_table_is_aligned(run, registered):
    heading, row = run().splitlines()
    assert heading.split() == [
        "NAME",
        "KIND",
        "ARCHITECTURE",
        "PARAMETERS",
        "QUANTIZATION",
        "CONTEXT",
        "SIZE",
        "ENABLED",
        "PATH",
    ]
    assert row.split() == ["tiny", "chat", "llama", "256", "Q8_0", "512", "1.6", "KiB", "yes", registered.path]
    assert heading.index("PATH") == row.index(registered.path)


def test_json_is_for_scripts(run, registered):
    [model] = json.loads(run("--json"))
    assert (model["name"], model["size_bytes"], model["context_length"]) == ("tiny", registered.size_bytes, 512)


def test_an_empty_registry_says_how_to_go_on(run):
    assert run().startswith("No models are registered")
    assert json.loads(run("--json")) == []


def test_it_points_to_setup_before_the_first_migration(run, monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", list)
    with pytest.raises(CommandError, match=r"run `python manage\.py setup` first"):
        run()
