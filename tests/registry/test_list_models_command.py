import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry.models import Preset

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


def test_presets_stand_below_the_models_with_what_they_change(run, registered):
    Preset.objects.create(name="cool", model=registered, temperature=0.2, stripped=["seed"])
    Preset.objects.create(name="other", model=registered, enabled=False)
    rows = run().splitlines()[3:]
    assert [re.split(r"  +", row) for row in rows] == [
        ["PRESET", "MODEL", "ENABLED", "CHANGES"],
        ["cool", "tiny", "yes", "temperature 0.2; seed ignored"],
        ["other", "tiny", "no", "nothing"],
    ]


def test_json_has_the_presets_of_each_model(run, registered):
    Preset.objects.create(name="cool", model=registered, temperature=0.2, allowed_tools=[])
    [model] = json.loads(run("--json"))
    [preset] = model["presets"]
    assert (preset["name"], preset["defaults"], preset["allowed_tools"]) == ("cool", {"temperature": 0.2}, [])


def test_presets_cost_one_query(run, registered, django_assert_num_queries):
    for number in range(5):
        Preset.objects.create(name=f"p{number}", model=registered)
    with django_assert_num_queries(3):
        run("--json")


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
