"""Files that extend each other, and the environment over them."""

import pytest

from llmsite import config_loading
from llmsite.config_loading import load_config
from llmsite.yaml_file import ConfigError


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def refusal():
    def refusal(path=None, **environ):
        with pytest.raises(ConfigError) as caught:
            load_config(path, environ)
        return str(caught.value)

    return refusal


def test_mappings_merge_and_everything_else_replaces(write):
    write(
        "base.yml", "server: {port: 1, allowed_hosts: [a, b]}\nmodel: {path: a.gguf, parallel: 2}\nmodels: [{path: b}]"
    )
    top = write("top.yml", "extends: base.yml\nserver: {allowed_hosts: [c]}\nmodel: {ctx_size: 256}\nmodels: []")
    config = load_config(top, {})
    assert (config.server.port, config.server.allowed_hosts) == (1, ("c", "127.0.0.1"))
    [model] = config.models
    assert (model.path, model.parallel, model.ctx_size) == ("a.gguf", 2, 256)
    assert model.named == {"path", "parallel", "ctx_size"}


def test_files_may_extend_each_other_in_a_chain_from_other_folders(write, tmp_path):
    write("a.yml", "server: {port: 1, host: one.example}\npool: {max_queue: 1}")
    write("more/b.yml", "extends: ../a.yml\nserver: {port: 2}")
    config = load_config(write("c.yml", "extends: more/b.yml\npool: {max_queue: 3}"), {})
    assert (config.server.port, config.server.host, config.pool.max_queue) == (2, "one.example", 3)
    assert config.layers.files == (tmp_path / "c.yml", tmp_path / "more" / "b.yml", tmp_path / "a.yml")


def test_an_empty_section_changes_nothing(write):
    write("base.yml", "server: {port: 1}")
    assert load_config(write("top.yml", "extends: base.yml\nserver:\n"), {}).server.port == 1


def test_an_empty_file_may_be_extended(write):
    write("base.yml", "# nothing\n")
    assert load_config(write("top.yml", "extends: base.yml\nserver: {port: 2}"), {}).server.port == 2


def test_circles_are_refused(write, refusal):
    write("a.yml", "extends: b.yml")
    path = write("b.yml", "extends: a.yml")
    assert "in a circle: " in refusal(path)
    assert refusal(path).count("b.yml") == 2
    assert "in a circle: " in refusal(write("self.yml", "extends: self.yml"))


def test_a_file_to_extend_that_is_missing_is_named(write, refusal):
    assert "gone.yml: No such file or directory" in refusal(write("a.yml", "extends: gone.yml"))


def test_only_the_default_file_may_be_missing(write, monkeypatch, tmp_path):
    path = write("production.yml", "extends: config.yml\nserver: {port: 5}")
    monkeypatch.setattr(config_loading, "DEFAULT_FILE", tmp_path / "config.yml")
    assert load_config(path, {}).server.port == 5
    write("config.yml", "server: {port: 1, log_level: error}")
    assert load_config(path, {}).server.log_level == "error"


@pytest.mark.parametrize("value", ["5", "[a.yml]", "''", "null"])
def test_what_to_extend_is_the_path_of_a_file(write, refusal, value):
    message = refusal(write("a.yml", f"\nextends: {value}"))
    assert "a.yml:2: extends: found " in message
    assert message.endswith("expected the path of a YAML file, relative to this one")


def test_the_environment_wins_over_the_files(write):
    path = write("a.yml", "server: {port: 1, log_level: error}\nmodel: {path: a.gguf, parallel: 2}")
    environ = {
        "LLMSITE__SERVER__PORT": "9001",
        "LLMSITE__CORS__ALLOWED_ORIGINS": '["https://a.example"]',
        "LLMSITE__MODEL__PARALLEL": "3",
        "LLMSITE__POOL": "{max_queue: 7}",
        "LLMSITE__SERVER__HOST": "",
        "LLMSITE_OTHER": "x",
    }
    config = load_config(path, environ)
    assert (config.server.port, config.server.log_level, config.server.host) == (9001, "error", "127.0.0.1")
    assert config.cors.allowed_origins == ("https://a.example",)
    assert (config.models[0].parallel, config.pool.max_queue) == (3, 7)


def test_the_environment_alone_is_enough(monkeypatch, tmp_path):
    monkeypatch.setattr(config_loading, "DEFAULT_FILE", tmp_path / "config.yml")
    environ = {"LLMSITE__MODELS": "[{path: a.gguf}, {path: b.gguf}]"}
    assert [model.name for model in load_config(None, environ).models] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LLMSITE__SERVER__PORT", "x", "LLMSITE__SERVER__PORT: server.port: found 'x'; expected an integer from 1"),
        ("LLMSITE__SERVER__PROT", "1", "LLMSITE__SERVER__PROT: server.prot: unknown key; did you mean port?"),
        ("LLMSITE__SERVR__PORT", "1", "LLMSITE__SERVR__PORT: servr: unknown key; did you mean server?"),
        ("LLMSITE__SERVER__PORT__X", "1", "LLMSITE__SERVER__PORT__X: server.port: found {'x': 1}"),
        ("LLMSITE__SERVER", "5", "LLMSITE__SERVER: server: found 5; expected keys and values"),
        ("LLMSITE__SERVER__PORT", "[", "LLMSITE__SERVER__PORT: not YAML: "),
        ("LLMSITE__SERVER__", "1", "LLMSITE__SERVER__: unknown variable; expected LLMSITE__SECTION__KEY"),
        ("LLMSITE__EXTENDS", "a", "LLMSITE__EXTENDS: unknown variable; expected LLMSITE__SECTION__KEY"),
        ("LLMSITE__MODELS", "[{path: a}, {x: 1}]", "LLMSITE__MODELS: models[1].x: unknown key"),
    ],
)
def test_a_wrong_variable_is_named(write, refusal, name, value, message):
    assert message in refusal(write("a.yml", "server: {host: localhost}"), **{name: value})


def test_a_secret_in_the_environment_is_not_repeated(write, refusal):
    message = refusal(write("a.yml", ""), LLMSITE__SERVER__SECRET_KEY="hunter2")
    assert "LLMSITE__SERVER__SECRET_KEY: server.secret_key: found a value (not shown)" in message
    assert "hunter2" not in message


def test_each_problem_is_placed_in_the_file_it_comes_from(write, refusal):
    write("base.yml", "server:\n  port: 0\nmodels:\n  - name: a\n")
    message = refusal(write("top.yml", "extends: base.yml\nserver:\n  log_level: loud\nxyz: 1\n"))
    places = [line.strip().rpartition("/")[2].split(": ")[:2] for line in message.splitlines()[1:]]
    assert places == [["top.yml:4", "xyz"], ["base.yml:2", "server.port"], ["top.yml:3", "server.log_level"],
                      ["base.yml:4", "models[0].path"]]  # fmt: skip


def test_a_file_that_is_no_mapping_is_refused_whatever_lies_over_it(write, refusal):
    path = write("a.yml", "- 5")
    assert "a.yml:1: the file: found [5]" in refusal(path)
    assert "found [5]" in refusal(path, LLMSITE__SERVER__PORT="1")


def test_anchors_and_values_that_contain_themselves_are_no_danger(write, refusal):
    path = write("a.yml", "model: &m {path: a.gguf}\nmodels:\n  - <<: *m\n    name: b\n")
    assert [model.name for model in load_config(path, {}).models] == ["a", "b"]
    assert "b.yml:2: server.a: unknown key" in refusal(write("b.yml", "server: &s\n  a: *s\n"))
