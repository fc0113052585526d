"""Servers that live for one run, their memory, and the machine around them."""

import os
import subprocess
import sys

import pytest

from inference.bench.client import BenchError
from inference.bench.machine import cpu_model, describe_file, describe_machine
from inference.bench.memory import memory_of
from inference.bench.neighbours import NeighbourMeter
from inference.bench.served_model import model_of_file
from inference.bench.servers import name_of, peer_command, peer_server, prepared
from tests.live_server import DEMO, environment, is_running, wait_until

MODEL = model_of_file(DEMO, context=512, parallel=4)
SLEEPER = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE).wait()"


def test_a_command_is_filled_in_word_by_word():
    values = {**MODEL.placeholders, "model": "/my models/a.gguf", "port": 9}
    words = peer_command("serve -m {model} --port={port} -np {parallel} -c {total_context} -x {context}", values)
    assert words == ["serve", "-m", "/my models/a.gguf", "--port=9", "-np", "4", "-c", "2048", "-x", "512"]


@pytest.mark.parametrize("template", ["serve {modell}", "serve {", "serve {0}", "", "serve '{model}"])
def test_a_command_that_makes_no_sense_is_refused(template):
    with pytest.raises(BenchError, match="--compare-command"):
        peer_command(template, MODEL.placeholders)


@pytest.mark.parametrize(
    ("command", "name"), [(["/opt/llama-server", "-m", "x"], "llama-server"), (["env", "A=1", "/opt/other"], "other")]
)
def test_a_server_is_called_by_its_program(command, name):
    assert name_of(command) == name


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("no-such-program-here", "cannot be run: No such file"),
        (f"{sys.executable} -c 'exit(\"my fault\")'", "my fault"),
    ],
)
def test_a_server_that_does_not_start_says_why(template, reason):
    with pytest.raises(BenchError, match=reason), peer_server(template, MODEL, ""):
        pass


def test_a_model_that_cannot_be_registered_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="not set up"), prepared(model_of_file(tmp_path / "gone.gguf", 512, 1)):
        pass


def test_memory_of_a_process_and_its_children():
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as process:
        wait_until(lambda: len(memory_of(process.pid)) == 2)
        memory = memory_of(process.pid)
        for child in memory:
            assert child.process.startswith("python")
            assert child.rss >= child.pss > 0
            assert child.rss >= child.anonymous > 0
        process.kill()
    assert memory_of(process.pid) == []


def test_a_server_is_ended_with_its_workers(server, monkeypatch):
    for name in ("CONFIG_PATH", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, environment(server.folder)[name])
    command = f"{sys.executable} manage.py runserver 127.0.0.1:{{port}} --noreload"
    with peer_server(command, MODEL, "key") as (base_url, pid):
        assert base_url.endswith("/v1/")
        assert [process.process for process in memory_of(pid)] == ["web process"]
    assert not is_running(pid)


def test_neighbours_are_what_we_have_not_started():
    meter = NeighbourMeter()
    assert 0 <= meter.lap() <= os.cpu_count()


def test_the_machine_is_described():
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 2**28
    assert machine["llama_cpp_python"]


def test_a_machine_that_does_not_tell_its_processor(tmp_path):
    assert cpu_model(tmp_path / "no-such-file")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    assert cpu_model(tmp_path / "cpuinfo") == "Some CPU @ 2 GHz"


def test_a_file_that_is_gone_has_no_size(tmp_path):
    assert describe_file(str(tmp_path / "gone"))["size_bytes"] is None
    assert describe_file(str(DEMO))["size_bytes"] == DEMO.stat().st_size
