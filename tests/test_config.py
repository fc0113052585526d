import re
from pathlib import Path

import dj_database_url
import pytest
import yaml

from llmsite import config_loading
from llmsite.config import PROJECT_ROOT, SECTIONS, Config
from llmsite.config_loading import load_config
from llmsite.config_models import ModelEntry, model_name_for
from llmsite.config_values import settings_of
from llmsite.yaml_file import ConfigError

EXAMPLE = PROJECT_ROOT / "config" / "config.example.yml"
DOCUMENTATION = (PROJECT_ROOT / "docs" / "configuration.md").read_text()
DOTTED_KEYS = [
    f"{name}.{key}" for name, section in {**SECTIONS, "model": ModelEntry}.items() for key in settings_of(section)
]

LOG_LEVEL_PROBLEM = "server.log_level: found 'loud'; expected one of debug, info, warning, error, critical"
SECRET_PROBLEM = "server.secret_key: found a value (not shown); expected null or at least 32 characters"
CTX_SIZE_PROBLEM = "model.ctx_size: found 127; expected auto, null or an integer of at least 128"
RETENTION_PROBLEM = "responses.retention_days: found -1; expected an integer from 0 to 36500"
TEMPERATURE_PROBLEM = "generation.default_temperature: found {}; expected null or a number from 0 to 2"


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "config.yml"
        path.write_text(text)
        return load_config(path)

    return load


@pytest.fixture
def problems(load):
    def problems(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        lines = str(caught.value).split("\n  ")[1:]
        return [line.partition(": ")[2] for line in lines]  # without the file and the line

    return problems


@pytest.fixture
def no_default_file(monkeypatch, tmp_path):
    monkeypatch.delenv("CONFIG_PATH", raising=False)
    monkeypatch.setattr(config_loading, "DEFAULT_FILE", tmp_path / "config" / "config.yml")
    return tmp_path


def test_without_a_file_the_defaults_apply(no_default_file):
    loaded = load_config()
    assert loaded == Config()
    assert (loaded.server.host, loaded.server.port, loaded.models) == ("127.0.0.1", 8000, ())


def test_the_default_file_is_read_if_it_exists(no_default_file):
    (no_default_file / "config").mkdir()
    (no_default_file / "config" / "config.yml").write_text("server: {port: 9001}")
    assert load_config().server.port == 9001


def test_the_environment_names_a_file(monkeypatch, tmp_path):
    path = tmp_path / "other.yml"
    path.write_text("server: {port: 9000}")
    monkeypatch.setenv("CONFIG_PATH", str(path))
    assert load_config().server.port == 9000
    assert load_config().layers.files == (path,)


def test_an_argument_goes_before_the_environment(monkeypatch, load):
    monkeypatch.setenv("CONFIG_PATH", "/nowhere.yml")
    assert load("server: {port: 9000}").server.port == 9000


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.yml: No such file or directory"):
        load_config(tmp_path / "missing.yml")


def test_a_relative_path_starts_in_the_project():
    assert load_config("config/development.yml").layers.files[0] == PROJECT_ROOT / "config" / "development.yml"


@pytest.mark.parametrize("name", ["config.example.yml", "development.yml", "production.yml"])
def test_the_files_of_the_project_load(name):
    assert load_config(f"config/{name}").layers.files[0].name == name


def test_an_empty_file_means_the_defaults(load):
    assert load("").server == Config().server


def test_empty_sections_mean_the_defaults(load):
    assert load("server:\ncors:\nmodel:\nmodels:\n").cors == Config().cors


def test_every_value_is_read(load):
    loaded = load(
        """
        server: {host: 0.0.0.0, port: 80, log_level: DEBUG, allowed_hosts: [a.example], secret_key: "%s"}
        cors: {allowed_origins: ["*", "https://chat.example.com:3080"]}
        generation: {default_temperature: 1, default_max_tokens: 100}
        database: {url: "postgres://me:secret@db:5432/llm"}
        responses: {retention_days: 0}
    """
        % ("k" * 32)
    )
    assert (loaded.server.log_level, loaded.server.allowed_hosts) == ("debug", ("a.example",))
    assert loaded.cors.allowed_origins == ("*", "https://chat.example.com:3080")
    assert loaded.generation.default_temperature == 1.0
    assert dj_database_url.parse(loaded.database.url)["NAME"] == "llm"
    assert loaded.responses.retention_days == 0


@pytest.mark.parametrize(
    ("host", "added"), [("192.168.1.5", "192.168.1.5"), ("llm.local", "llm.local"), ("fd00::1", "[fd00::1]")]
)
def test_a_concrete_host_is_allowed_too(load, host, added):
    assert load(f"server: {{host: '{host}'}}").server.allowed_hosts[-1] == added


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "::1"])
def test_no_host_is_added_for_all_addresses_or_twice(load, host):
    assert load(f"server: {{host: '{host}'}}").server.allowed_hosts == Config().server.allowed_hosts


def test_models_come_from_both_keys_with_names(load):
    loaded = load("""
        model: {path: models/Qwen3 4B (Q8_0).gguf, ctx_size: auto, threads: null}
        models:
          - {path: /data/big-00001-of-00003.gguf}
          - {path: c.gguf, name: org/c:latest, ctx_size: 4096, gpu_layers: 0, parallel: 8, threads: 2}
    """)
    assert [model.name for model in loaded.models] == ["Qwen3-4B-Q8_0", "big", "org/c:latest"]
    assert loaded.models[0].named == {"path", "ctx_size", "threads"}
    assert (loaded.models[0].ctx_size, loaded.models[2].ctx_size) == (None, 4096)


def test_runtime_settings_are_read(load):
    [model] = load("""
        model:
          path: a.gguf
          flash_attention: off
          speculation: Off
          kv_cells: auto
          kv_type_k: Q8_0
          use_mmap: no
          tensor_split: "3, 1"
          loras: [a.gguf, {path: b.gguf, scale: 2}]
    """).models
    assert (model.flash_attention, model.speculation, model.use_mmap) == ("off", "off", False)
    assert (model.kv_cells, model.kv_type_k, model.tensor_split) == (None, "q8_0", "3, 1")
    assert model.loras == (("a.gguf", 1.0), ("b.gguf", 2.0))


@pytest.mark.parametrize(
    "lora",
    ["5", "{scale: 1}", "{path: 5}", "{path: a, scale: x}", "{path: a, scale: true}", "{path: a, size: 1}", "''"],
)
def test_a_wrong_adapter_is_refused_with_what_is_allowed(problems, lora):
    [problem] = problems(f"model: {{path: a.gguf, loras: [b.gguf, {lora}]}}")
    assert problem.startswith("model.loras[1]: found ")
    assert problem.endswith("expected the path of a GGUF adapter, or {path: …, scale: a number}")


@pytest.mark.parametrize(
    ("path", "name"), [("a/B.GGUF", "B"), ("модель.gguf", ""), ("a/моя x.gguf", "x"), ("x" * 300, "x" * 256)]
)
def test_a_name_is_made_from_a_path(path, name):
    assert model_name_for(path) == name


def test_a_path_that_makes_no_name_needs_one(problems):
    assert problems("model: {path: модель.gguf}") == [
        "model.name: missing, and no name can be made from 'модель.gguf'; give one"
    ]


def test_duplicate_names_are_refused(problems):
    assert problems("model: {path: a.gguf}\nmodels: [{path: b/a.gguf}]") == [
        "model.name: 'a' is also the name of models[0]; each model needs its own",
        "models[0].name: 'a' is also the name of model; each model needs its own",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("server: {port: true}", "server.port: found True; expected an integer from 1 to 65535"),
        ("server: {port: 70000}", "server.port: found 70000; expected an integer from 1 to 65535"),
        ("server: {host: 5}", "server.host: found 5; expected a host name or address"),
        ("server: {log_level: loud}", LOG_LEVEL_PROBLEM),
        ("server: {secret_key: tiny}", SECRET_PROBLEM),
        ("server: 5", "server: found 5; expected keys and values"),
        ("- 5", "the file: found [5]; expected keys and values"),
        ("models: 5", "models: found 5; expected a list of models, each with a path"),
        ("models: [5]", "models[0]: found 5; expected keys and values"),
        ("model: {path: ''}", "model.path: found ''; expected the path of a GGUF file"),
        ("model: {path: a.gguf, name: 'a\n'}", None),
        ("model: {path: a.gguf, name: -a}", None),
        ("model: {path: a.gguf, ctx_size: 127}", CTX_SIZE_PROBLEM),
        ("model: {path: a.gguf, parallel: 65}", "model.parallel: found 65; expected an integer from 1 to 64"),
        ("model: {path: a.gguf, use_mmap: 1}", "model.use_mmap: found 1; expected auto, null or true or false"),
        ("model: {path: a.gguf, flash_attention: 1}",
         "model.flash_attention: found 1; expected one of auto, on, off"),
        ("model: {path: a.gguf, tensor_split: '3,-1'}", None),
        ("model: {path: a.gguf, tensor_split: [3, 1]}", None),
        ("generation: {default_temperature: .nan}", TEMPERATURE_PROBLEM.format("nan")),
        ("generation: {default_temperature: 2.1}", TEMPERATURE_PROBLEM.format(2.1)),
        ("cors: {allowed_origins: '*'}", None),
        ("cors: {allowed_origins: [https://a.example/]}", None),
        ("database: {url: 'mysql://a/b'}", None),
        ("responses: {retention_days: -1}", RETENTION_PROBLEM),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(problems, text, problem):
    found = problems(text)
    assert len(found) == 1
    assert problem is None or found == [problem]


def test_an_item_of_a_list_is_named(problems):
    assert problems("cors: {allowed_origins: ['*', 7]}") == [
        'cors.allowed_origins[1]: found 7; expected "*" or an origin like https://chat.example.com:3080'
    ]


def test_unknown_keys_are_refused_with_the_nearest_one(problems):
    assert problems("servre: {}\ngeneration: {xyz: 1}") == [
        f"servre: unknown key; did you mean server? known keys: {', '.join(config_loading.KNOWN_KEYS)}",
        "generation.xyz: unknown key; known keys: default_temperature, default_max_tokens",
    ]


def test_a_database_password_is_not_repeated(problems):
    assert "hunter2" not in problems("database: {url: 'mysql://me:hunter2@db/x'}")[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: b: c", r"config\.yml, line 1, column 5: mapping values are not allowed here"),
        ("server: {}\nserver: {}", r"config\.yml, line 2, column 1: the key 'server' stands twice"),
        ("a: 2020-02-30", r"config\.yml: day is out of range"),
        ("a: \x07", r"config\.yml: unacceptable character"),
        ("? [a]\n: b", r"config\.yml, line 1, column 3: found unhashable key"),
    ],
)
def test_wrong_yaml_is_refused_with_the_place(load, text, reason):
    with pytest.raises(ConfigError, match=reason):
        load(text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "c.yml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_config(tmp_path / "c.yml")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///data/x.sqlite3", str(PROJECT_ROOT / "data/x.sqlite3")),
        ("sqlite:////var/x%20y.sqlite3", "/var/x y.sqlite3"),
        ("sqlite:////var/x y.sqlite3", "/var/x y.sqlite3"),
        ("sqlite://:memory:", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
    ],
)
def test_sqlite_files_start_in_the_project(load, url, file):
    assert dj_database_url.parse(load(f"database: {{url: '{url}'}}").database.url)["NAME"] == file


def test_the_example_names_every_key():
    example = yaml.safe_load(EXAMPLE.read_text())
    assert set(example) == {*SECTIONS, "model", "models"}
    assert [f"{name}.{key}" for name in (*SECTIONS, "model") for key in example[name]] == DOTTED_KEYS


def test_the_example_shows_the_defaults():
    loaded = load_config(EXAMPLE)
    for section in SECTIONS:
        assert getattr(loaded, section) == getattr(Config(), section)


@pytest.mark.parametrize("key", [*DOTTED_KEYS, "models"])
def test_the_documentation_names_every_key(key):
    assert f"| `{key}` |" in DOCUMENTATION


@pytest.mark.parametrize("path", [*(PROJECT_ROOT / "registry" / "management" / "commands").glob("[a-z]*.py")])
def test_the_documentation_names_every_command_of_the_registry(path):
    assert f"| `python manage.py {path.stem}` |" in DOCUMENTATION


def test_the_documentation_shows_the_real_error(tmp_path):
    errors = DOCUMENTATION.partition("## Errors")[2]
    text, shown = re.findall(r"```(?:yaml|text)\n(.*?)\n```", errors, re.DOTALL)[:2]
    path = Path(tmp_path / "config.yml")
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).replace(str(path), "config/config.yml") == shown


def test_the_folder_of_conversations_starts_in_the_project(load):
    assert load("kv_disk: {directory: kv}").kv_disk.directory == str(PROJECT_ROOT / "kv")
    assert load("kv_disk: {max_size: 2 MiB}").kv_disk.max_size == 2 * 2**20
    assert load("kv_disk: {}").kv_disk.directory == ""
