import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from llmsite.config import PROJECT_ROOT
from registry.downloads import FileDownload
from registry.models import Preset, RegisteredModel


@pytest.fixture
def url(file_server, gguf):
    return file_server.add("/files/model.gguf", gguf.read_bytes())[0]


@pytest.fixture
def run(capsys, tmp_path, url):
    """Download the served file to out.gguf, with further options; return the output."""

    def run(*options):
        call_command("download_model", "--model-url", url, "--output-path", str(tmp_path / "out.gguf"), *options)
        return capsys.readouterr().out

    return run


def test_it_downloads_and_says_where_to(run, tmp_path, gguf):
    assert f"downloaded: {tmp_path}/out.gguf\n" in run()
    assert (tmp_path / "out.gguf").read_bytes() == gguf.read_bytes()


@pytest.mark.django_db
def test_it_registers_the_model(run, tmp_path):
    assert run("--register", "mine").endswith("model mine: created\n")
    assert RegisteredModel.objects.get().path == str(tmp_path / "out.gguf")


@pytest.mark.django_db
def test_a_model_that_cannot_be_registered_is_an_error(run, file_server):
    file_server.add("/files/model.gguf", b"GGUF but broken")
    with pytest.raises(CommandError, match="The model 'mine' was not registered"):
        run("--register", "mine")


def test_a_wrong_name_is_refused_before_the_download(run, file_server):
    with pytest.raises(CommandError, match="“a b” is not a model name"):
        run("--register", "a b")
    assert file_server.requests == []


def test_a_presets_name_is_refused_before_the_download(run, file_server, registered):
    Preset.objects.create(name="mine", model=registered)
    with pytest.raises(CommandError, match="'mine' is the name of a preset"):
        run("--register", "mine")
    assert file_server.requests == []


@pytest.mark.django_db
def test_a_missing_database_is_noticed_before_the_download(run, file_server, monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", list)
    with pytest.raises(CommandError, match=r"run `python manage\.py setup` first"):
        run("--register", "mine")
    assert file_server.requests == []


def test_a_failed_download_is_an_error(run, tmp_path):
    with pytest.raises(CommandError, match="expected the sha256"):
        run("--sha256", "0" * 64)
    assert not (tmp_path / "out.gguf").exists()


def test_a_folder_that_cannot_be_made_is_an_error(url, gguf):
    with pytest.raises(CommandError, match=f"{gguf}: (File exists|Not a directory)"):
        call_command("download_model", "--model-url", url, "--output-path", f"{gguf}/model.gguf")


def test_an_interruption_says_how_to_resume(run, monkeypatch, tmp_path):
    def interrupt(self, **options):
        self.partial.write_bytes(b"GGUF")
        raise KeyboardInterrupt

    monkeypatch.setattr(FileDownload, "run", interrupt)
    with pytest.raises(
        CommandError, match=r"Interrupted\. 4 B are kept in .*out\.gguf\.partial; run the same"
    ) as caught:
        run()
    assert caught.value.returncode == 130


def test_an_interruption_before_the_download_is_quiet(run, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("registry.management.commands.download_model.resolve_source", interrupt)
    with pytest.raises(CommandError, match=r"Interrupted\."):
        run()


def test_the_script_of_the_old_service_still_works(url, tmp_path):
    script = PROJECT_ROOT / "models" / "download_model.py"
    command = [sys.executable, script, "--model-url", url, "--output-path", tmp_path / "out.gguf"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    assert (tmp_path / "out.gguf").exists()
