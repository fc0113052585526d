import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from llmsite.config import PROJECT_ROOT
from registry.models import Preset, RegisteredModel
from tests.adapted_models import write_lora

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys, gguf):
    """Register the tiny file as "mine" with further options; return what was printed."""

    def run(*options):
        call_command("register_model", str(gguf), "--name", "mine", *options)
        return capsys.readouterr().out.strip()

    return run


def test_a_model_is_created_and_updated(run):
    assert run() == "model mine: created (chat, llama, context 512)"
    assert run() == "model mine: unchanged (chat, llama, context 512)"
    assert run("--ctx-size", "256") == "model mine: updated (chat, llama, context 256)"


def test_every_option_sets_its_field(run):
    run(
        "--ctx-size=256", "--gpu-layers=0", "--parallel=2", "--threads=1", "--temperature=0.1", "--top-p=0.5",
        "--top-k=5", "--min-p=0", "--presence-penalty=-1", "--frequency-penalty=1", "--max-tokens=9", "--seed=3",
        "--system-prompt=Be brief.", "--stop=###", "--stop=User:",
    )  # fmt: skip
    model = RegisteredModel.objects.for_api("mine")
    assert (model.ctx_size, model.gpu_layers, model.parallel, model.threads) == (256, 0, 2, 1)
    assert (model.defaults.temperature, model.defaults.presence_penalty, model.defaults.seed) == (0.1, -1, 3)
    assert (model.defaults.system_prompt, model.defaults.stop) == ("Be brief.", ["###", "User:"])


def test_runtime_settings_are_options(run, gguf, monkeypatch):
    monkeypatch.chdir(gguf.parent)
    run(
        "--kv-layout=unified", "--kv-cells=600", "--kv-type-k=q8_0", "--use-mmap=false", "--host-cache-mb=0",
        "--step-target-ms=100", "--tensor-split=3,1", f"--draft-model={gguf.name}", "--draft-max=4",
    )  # fmt: skip
    model = RegisteredModel.objects.get()
    assert (model.kv_layout, model.kv_cells, model.kv_type_k, model.use_mmap) == ("unified", 600, "q8_0", False)
    assert (model.host_cache_mb, model.step_target_ms, model.tensor_shares) == (0, 100, (3, 1))
    assert (model.draft_model, model.draft_max) == (str(gguf), 4)
    run("--draft-model=", "--host-cache-mb=auto")
    model = RegisteredModel.objects.get()
    assert (model.draft_model, model.host_cache_mb) == ("", None)


def test_adapters_are_options_with_a_scale(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [str(write_lora(tmp_path / name)) for name in ("a.gguf", "b=c.gguf")]
    run("--lora=a.gguf=0.5", "--lora=b=c.gguf")
    loras = RegisteredModel.objects.get().loras.all()
    assert [(lora.path, lora.scale) for lora in loras] == [(paths[0], 0.5), (paths[1], 1.0)]


def test_options_that_are_not_given_stay(run):
    run("--parallel=2", "--temperature=0.1")
    run("--threads=1")
    model = RegisteredModel.objects.for_api("mine")
    assert (model.parallel, model.threads, model.defaults.temperature) == (2, 1, 0.1)


def test_auto_clears_a_field(run):
    run("--ctx-size=256")
    run("--ctx-size=auto")
    assert RegisteredModel.objects.get().ctx_size is None


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--parallel=900", r"parallel \(900\): Ensure this value is less than or equal to 64"),
        ("--ctx-size=1000", r"ctx_size \(1000\): 1000 is more than the 512 tokens"),
        ("--temperature=nan", r"temperature \(nan\): “nan” is not a finite number"),
        ("--name=a b", r"name \('a b'\): “a b” is not a model name"),
        ("--parallel=many", "'many' is not allowed, expected a number"),
        ("--threads=many", "'many' is not allowed, expected auto or a number"),
        ("--use-mlock=many", "'many' is not allowed, expected true or false"),
        ("--kv-type-k=q6_k", r"kv_type_k \('q6_k'\): Value 'q6_k' is not a valid choice"),
        ("--lora=/no.gguf=2", r"loras: There is no file /no\.gguf"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(run, option, reason):
    with pytest.raises(CommandError, match=reason):
        run(option)
    assert not RegisteredModel.objects.exists()


def test_a_presets_name_is_refused(run, registered):
    Preset.objects.create(name="mine", model=registered)
    with pytest.raises(CommandError, match=r"name \('mine'\): “mine” is the name of a preset"):
        run()
    assert not RegisteredModel.objects.filter(name="mine").exists()


def test_a_file_that_is_no_use_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"path: There is no file /nowhere\.gguf"):
        call_command("register_model", "/nowhere.gguf", "--name", "mine")


def test_a_path_starts_where_the_command_is_called_if_there_is_a_file(gguf, monkeypatch):
    monkeypatch.chdir(gguf.parent)
    call_command("register_model", gguf.name, "--name", "mine")
    assert RegisteredModel.objects.get().path == str(gguf)


def test_another_relative_path_starts_in_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=f"There is no file {PROJECT_ROOT}/models/none.gguf"):
        call_command("register_model", "models/none.gguf", "--name", "mine")


def test_it_points_to_setup_before_the_first_migration(run, monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", list)
    with pytest.raises(CommandError, match=r"run `python manage\.py setup` first"):
        run()
