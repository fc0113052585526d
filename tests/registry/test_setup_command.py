import os
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from llmsite.config import PROJECT_ROOT, Config, Generation
from llmsite.config_models import ModelEntry
from registry import setup
from registry.models import LoraAdapter, Preset, RegisteredModel
from tests.adapted_models import write_lora
from tests.gguf_files import write_gguf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path, settings):
    """No administrator in the environment, no demo file, no models in the configuration."""
    monkeypatch.delenv("DJANGO_SUPERUSER_USERNAME", raising=False)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "secret")
    monkeypatch.setattr(setup, "DEMO_PATH", tmp_path / "demo.gguf")
    settings.CONFIG = Config()


@pytest.fixture
def run(capsys):
    """Run `setup`; return its lines."""

    def run():
        call_command("setup")
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def configure(settings):
    """A function that puts models into the configuration; keys that are given count as named by the file."""

    def configure(*models, **generation):
        entries = tuple(ModelEntry(**model, named=frozenset(model)) for model in models)
        settings.CONFIG = Config(models=entries, generation=Generation(**generation))

    return configure


def test_a_model_of_the_configuration_is_created(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine", "ctx_size": 256})
    assert "model mine: created (chat)" in run()
    assert RegisteredModel.objects.get().ctx_size == 256


def test_a_model_of_the_configuration_with_a_presets_name_is_a_failure(run, configure, gguf, registered):
    Preset.objects.create(name="mine", model=registered)
    configure({"path": str(gguf), "name": "mine"})
    with pytest.raises(CommandError, match=r"name \('mine'\): “mine” is the name of a preset"):
        run()


def test_the_demo_leaves_its_name_to_a_preset(run, registered):
    setup.DEMO_PATH.write_bytes(registered.resolved_path.read_bytes())
    Preset.objects.create(name="demo", model=registered)
    assert run() == [
        "database: up to date",
        "admin user: created 'admin' with the password of DJANGO_SUPERUSER_PASSWORD",
    ]
    assert RegisteredModel.objects.get() == registered


def test_running_again_changes_nothing(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine"}, default_temperature=0.5)
    run()
    updated_at = RegisteredModel.objects.get().updated_at
    assert run() == ["database: up to date", "model mine: unchanged (chat)", "admin user: unchanged"]
    assert RegisteredModel.objects.get().updated_at == updated_at


def test_keys_of_the_file_win_and_others_stay(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine", "ctx_size": 256})
    run()
    RegisteredModel.objects.update(ctx_size=128, parallel=9)
    assert "model mine: updated (chat)" in run()
    model = RegisteredModel.objects.get()
    assert (model.ctx_size, model.parallel) == (256, 9)


def test_a_named_null_clears_what_the_admin_set(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine", "ctx_size": None})
    run()
    RegisteredModel.objects.update(ctx_size=128)
    run()
    assert RegisteredModel.objects.get().ctx_size is None


def test_generation_defaults_of_the_file_are_applied(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine"}, default_temperature=0.1, default_max_tokens=99)
    run()
    defaults = RegisteredModel.objects.get().defaults
    assert (defaults.temperature, defaults.max_tokens, defaults.top_p) == (0.1, 99, 0.95)


def test_adapters_of_the_file_replace_those_of_the_admin(run, configure, gguf, tmp_path):
    lora = str(write_lora(tmp_path / "lora.gguf"))
    configure({"path": str(gguf), "name": "mine", "loras": ((lora, 0.5),)})
    assert "model mine: created (chat)" in run()
    assert "model mine: unchanged (chat)" in run()
    LoraAdapter.objects.update(scale=2)
    assert "model mine: updated (chat)" in run()
    assert LoraAdapter.objects.get().scale == 0.5


def test_a_broken_model_does_not_stop_the_rest(configure, gguf, tmp_path, capsys):
    configure({"path": str(tmp_path / "no.gguf"), "name": "gone"}, {"path": str(gguf), "name": "mine"})
    with pytest.raises(CommandError) as caught:
        call_command("setup")
    assert str(caught.value).splitlines() == [
        "Setup is not complete.",
        "The model 'gone' was not registered:",
        f"  path: There is no file {tmp_path}/no.gguf.",
    ]
    assert "model gone: failed" in capsys.readouterr().out
    assert RegisteredModel.objects.get().name == "mine"
    assert get_user_model().objects.filter(is_superuser=True).exists()


def test_a_file_that_has_disappeared_is_reported(run, configure, gguf):
    configure({"path": str(gguf), "name": "mine"})
    run()
    gguf.unlink()
    with pytest.raises(CommandError, match="There is no file"):
        call_command("setup")


def test_a_model_with_a_wrong_value_is_not_written_at_all(configure, gguf):
    configure({"path": str(gguf), "name": "mine", "ctx_size": 4096}, default_temperature=0.5)
    with pytest.raises(CommandError, match=r"ctx_size \(4096\): 4096 is more than the 512 tokens"):
        call_command("setup")
    assert not RegisteredModel.objects.exists()


def test_the_demo_is_registered_beside_other_models(run, registered, tmp_path):
    write_gguf(tmp_path / "demo.gguf")
    assert "model demo: created (chat)" in run()
    model = RegisteredModel.objects.for_api("demo")
    assert (model.parallel, model.defaults.temperature) == (8, 0)


def test_a_changed_demo_is_read_again_and_keeps_its_settings(run, tmp_path):
    write_gguf(tmp_path / "demo.gguf")
    run()
    RegisteredModel.objects.update(parallel=3)
    assert "model demo: unchanged (chat)" in run()
    os.utime(write_gguf(tmp_path / "demo.gguf", "qwen3"), (1, 1))
    assert "model demo: updated (chat)" in run()
    model = RegisteredModel.objects.get()
    assert (model.architecture, model.parallel) == ("qwen3", 3)


def test_a_missing_demo_is_only_mentioned(run, tmp_path):
    assert f"model demo: skipped, there is no {tmp_path}/demo.gguf" in run()


def test_a_broken_demo_is_an_error(tmp_path):
    (tmp_path / "demo.gguf").write_text("<html>")
    with pytest.raises(CommandError, match="looks like an HTML page"):
        call_command("setup")


def test_another_model_of_the_demos_name_is_left_alone(run, registered, tmp_path):
    RegisteredModel.objects.update(name="demo")
    write_gguf(tmp_path / "demo.gguf")
    assert not [line for line in run() if "demo" in line]
    assert RegisteredModel.objects.get().path == registered.path


def test_the_demo_stays_away_where_the_configuration_names_models(run, configure, gguf, tmp_path):
    write_gguf(tmp_path / "demo.gguf")
    configure({"path": str(gguf), "name": "mine"})
    run()
    assert RegisteredModel.objects.get().name == "mine"


def test_an_admin_user_gets_the_password_of_the_environment(run, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "boss")
    assert "admin user: created 'boss' with the password of DJANGO_SUPERUSER_PASSWORD" in run()
    assert get_user_model().objects.get(username="boss").check_password("secret")


def test_a_generated_password_is_shown_once(run, monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")
    [line] = [line for line in run() if line.startswith("admin user: created 'admin' with the password ")]
    assert get_user_model().objects.get(username="admin").check_password(line.split()[7])
    assert "admin user: unchanged" in run()


def test_somebody_of_that_name_is_not_promoted(make_user):
    make_user("admin")
    with pytest.raises(CommandError, match="'admin' exists and is no superuser"):
        call_command("setup")


def test_a_fresh_project_is_set_up(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text(f"database: {{url: 'sqlite:///{tmp_path}/data/new.sqlite3'}}")
    command = [sys.executable, PROJECT_ROOT / "manage.py", "setup"]
    environ = {**os.environ, "CONFIG_PATH": str(config), "DJANGO_SETTINGS_MODULE": "llmsite.settings"}
    output = subprocess.run(command, check=True, env=environ, capture_output=True, text=True).stdout
    assert output.startswith("database: ")
    assert (tmp_path / "data" / "new.sqlite3").exists()
