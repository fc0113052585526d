"""manage.py export_registry and import_registry."""

from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command

from registry.models import Preset, RegisteredModel
from registry.portable import exported
from registry.registration import register
from tests.gguf_files import write_gguf

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(registered, tmp_path):
    """A registry in which every kind of setting is set."""
    defaults = {"temperature": 0.2, "stop": ["a: b", "\n"], "system_prompt": "Sei nett.\nÄ"}
    register("tiny", {"parallel": 2, "kv_type_k": "q8_0", "idle_timeout": 0, "enabled": False}, defaults)
    register("other", {"path": str(write_gguf(tmp_path / "other.gguf"))}, {})
    model = RegisteredModel.objects.get(name="tiny")
    Preset.objects.create(name="brief", model=model, forced={"temperature": 0}, allowed_tools=[], reasoning="low")
    return exported()


@pytest.fixture
def bring_in(tmp_path):
    def bring_in(registry, *options):
        file = tmp_path / "registry.yml"
        file.write_text(registry if isinstance(registry, str) else yaml.safe_dump(registry))
        output = StringIO()
        call_command("import_registry", str(file), *options, stdout=output)
        return output.getvalue()

    return bring_in


@pytest.fixture
def problems(bring_in):
    def problems(registry):
        with pytest.raises(CommandError) as caught:
            bring_in(registry)
        return str(caught.value).split("\n  ")[1:]

    return problems


def test_only_what_differs_from_the_defaults_is_exported(full, gguf, tmp_path):
    assert full["models"] == [
        {"name": "other", "path": str(tmp_path / "other.gguf")},
        {
            "name": "tiny",
            "path": str(gguf),
            "parallel": 2,
            "kv_type_k": "q8_0",
            "idle_timeout": 0,
            "enabled": False,
            "defaults": {"temperature": 0.2, "stop": ["a: b", "\n"], "system_prompt": "Sei nett.\nÄ"},
        },
    ]
    brief = {"name": "brief", "model": "tiny", "forced": {"temperature": 0}, "allowed_tools": [], "reasoning": "low"}
    assert full["presets"] == [brief]


def test_a_file_is_written_that_brings_everything_back(full, tmp_path):
    output = StringIO()
    call_command("export_registry", str(tmp_path / "saved.yml"), stdout=output)
    assert "exported 2 models and 1 presets" in output.getvalue()
    RegisteredModel.objects.all().delete()
    call_command("import_registry", str(tmp_path / "saved.yml"), stdout=StringIO())
    assert exported() == full


def test_without_a_file_it_is_printed(full):
    output = StringIO()
    call_command("export_registry", stdout=output)
    assert yaml.safe_load(output.getvalue()) == full


def test_adapters_are_exported_and_imported(registered, bring_in, tmp_path, monkeypatch):
    monkeypatch.setattr("registry.adapters.refuse_unfit_adapter", lambda path, architecture: None)
    register("tiny", {"loras": [("b.gguf", 0.5), ("a.gguf", 1.0)]}, {})
    saved = exported()
    assert saved["models"][0]["loras"] == [{"path": "b.gguf", "scale": 0.5}, {"path": "a.gguf", "scale": 1.0}]
    register("tiny", {"loras": []}, {})
    assert "updated" in bring_in(saved)
    assert exported() == saved


def test_to_import_twice_changes_nothing(full, bring_in):
    before = RegisteredModel.objects.get(name="tiny").updated_at
    output = bring_in(full)
    assert output.splitlines() == ["model other: unchanged", "model tiny: unchanged", "preset brief: unchanged"]
    assert RegisteredModel.objects.get(name="tiny").updated_at == before


def test_what_the_file_leaves_out_becomes_the_default_and_who_is_not_in_it_stays(full, bring_in, gguf):
    bring_in({"version": 1, "models": [{"name": "tiny", "path": str(gguf)}]})
    tiny = RegisteredModel.objects.get(name="tiny")
    assert (tiny.parallel, tiny.enabled, tiny.defaults.temperature, tiny.defaults.stop) == (4, True, 0.8, [])
    assert RegisteredModel.objects.filter(name="other").exists()
    assert Preset.objects.filter(name="brief").exists()


def test_a_dry_run_shows_the_differences_and_changes_nothing(full, bring_in):
    full["models"][1]["parallel"] = 7
    full["presets"].append({"name": "new", "model": "other"})
    output = bring_in(full, "--dry-run")
    assert "model tiny: updated" in output
    assert "-parallel: 2\n+parallel: 7" in output
    assert "preset new: created" in output
    assert "+model: other" in output
    assert RegisteredModel.objects.get(name="tiny").parallel == 2
    assert not Preset.objects.filter(name="new").exists()


def test_one_wrong_entry_and_nothing_is_imported(full, problems):
    full["models"][0]["parallel"] = 9
    full["models"][1] |= {"parallel": 99, "defaults": {"temperature": 5}}
    full["presets"][0]["model"] = "gone"
    assert problems(full) == [
        "model 'tiny': parallel (99): Ensure this value is less than or equal to 64.",
        "preset 'brief': model: there is no model 'gone', neither in the file nor registered",
    ]
    assert RegisteredModel.objects.get(name="other").parallel == 4


def test_a_model_file_that_is_not_there_is_named(full, problems):
    full["models"][1]["path"] = "/gone.gguf"
    [problem] = problems(full)
    assert "There is no file /gone.gguf" in problem


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        ("5", "the file: expected keys and values: version, models, presets"),
        ("{}", "version: found None; expected 1"),
        ("{version: 1, model: []}", "model: unknown key; did you mean models?"),
        ("{version: 1, models: 5}", "models: found 5; expected a list"),
        ("{version: 1, models: [5]}", "models[0]: found 5; expected keys and values"),
        ("{version: 1, models: [{name: a}]}", "models[0].path: found None; expected a text"),
        ("{version: 1, models: [{name: a, path: b, paralel: 1}]}",
         "models[0].paralel: unknown key; did you mean parallel?"),
        ("{version: 1, models: [{name: a, path: b, defaults: {tempreature: 1}}]}",
         "models[0].defaults.tempreature: unknown key; did you mean temperature?"),
        ("{version: 1, models: [{name: a, path: b, defaults: 1}]}",
         "models[0].defaults: found 1; expected keys and values"),
        ("{version: 1, models: [{name: a, path: b, loras: [x]}]}",
         "models[0].loras: found ['x']; expected a list of {path: …, scale: a number}"),
        ("{version: 1, models: [{name: a, path: b}, {name: a, path: c}]}", "models: 'a' stands twice"),
        ("{version: 1, presets: [{name: a}]}", "presets[0].model: found None; expected a text"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused_with_the_place(problems, registry, problem):
    assert problems(registry) == [problem]


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_registry", str(tmp_path / "gone.yml"))
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_registry", str(tmp_path / "gone" / "x.yml"))


def test_no_secret_and_nothing_measured_is_exported(full):
    keys = {key for model in full["models"] for key in model}
    assert not keys & {"chat_template", "size_bytes", "digest", "id", "observation"}
