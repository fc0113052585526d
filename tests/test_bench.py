"""`manage.py bench` on live servers."""

import json
import re
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from inference.bench.random_model import FOLDER
from tests.live_server import ROOT, descendants, environment, is_running, wait_until

SMALL = ["--clients", "1,2", "--requests", "1", "--max-tokens", "8", "--prompt-words", "5"]


def test_it_measures_a_running_server(server, capsys):
    call_command("bench", "--url", server.base_url, "--json", "--seed", "7", *SMALL)
    report = json.loads(capsys.readouterr().out)
    assert report["options"]["seed"] == 7
    assert report["servers"] == [
        {"label": f"127.0.0.1:{server.port}", "url": f"{server.base_url}/", "model": "demo"},
    ]
    assert [each["case"] for each in report["measurements"]] == ["1 client", "2 clients"]
    for measurement in report["measurements"]:
        [figures] = measurement["figures"].values()
        assert figures["rounds"] == [figures["median"]]
        median = figures["median"]
        assert median["tokens_per_second"] > 0
        assert 0 < median["first_token_p50"] <= median["first_token_p95"]
        assert median["gap_p50"] <= median["gap_p99"] <= median["gap_max"]


def test_it_starts_a_server_and_compares_it_with_the_bare_engine(server):
    run = server.manage("bench", "--engine", *SMALL)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("│ engine") == run.stdout.count("│ ÷ engine") == 2
    assert "tok/s" in run.stdout
    assert "worker" in run.stdout
    for server_label in ("llmsite", "engine"):
        assert re.search(rf"throughput, 2 clients, round 1 of 1, {server_label}: tok/s \d+\.\d, first", run.stderr)


def test_it_compares_answers_with_and_without_a_schema(server):
    run = server.manage("bench", "--engine", "--scenario", "structured", "--stream-tokens", "400", *SMALL)
    assert run.returncode == 0, run.stderr
    assert "first use, 4 clients" in run.stdout
    assert run.stdout.count("│ ÷ engine") == 3


def test_it_compares_two_models_of_one_server(server, register, capsys):
    register("another")
    call_command("bench", "--url", server.url, "--compare-model", "another", "--json", "--rounds", "2", *SMALL)
    report = json.loads(capsys.readouterr().out)
    ours, other = (each["label"] for each in report["servers"])
    assert other == "another"
    for measurement in report["measurements"]:
        assert [len(figures["rounds"]) for figures in measurement["figures"].values()] == [2, 2]
        [ratio] = measurement["ratios"].values()
        medians = [measurement["figures"][label]["rounds"][0]["tokens_per_second"] for label in (ours, other)]
        assert ratio["rounds"][0]["tokens_per_second"] == pytest.approx(medians[0] / medians[1])
        assert measurement["neighbour_cores"] == [None, None]


def test_it_compares_two_running_servers(server, capsys):
    call_command("bench", "--url", server.url, "--compare", server.base_url, "--rounds", "1", *SMALL)
    assert f"÷ 127.0.0.1:{server.port} (2)" in capsys.readouterr().out


def test_it_makes_a_model_and_starts_both_servers(server):
    """The other server is one of ours, too: it serves the demo, and knows no other model."""
    was_kept = (FOLDER / "bench-0.15b.gguf").exists()
    command = f"{sys.executable} manage.py runserver 127.0.0.1:{{port}} --noreload"
    run = server.manage(
        *("bench", "--random-model", "0.15b", "--parallel", "2", "--context", "256", "--json", "--rounds", "1"),
        *("--compare-command", command, "--compare-model", "demo", *SMALL),
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["model"]["size_bytes"] > 10**8
    assert report["servers"][0]["model"] == "bench-0.15b"
    assert [[process["process"] for process in each["processes"]] for each in report["memory"]] == [
        ["web process", "worker"],
        ["web process", "worker"],
    ]
    assert "llama-server -m" in run.stderr
    assert "-np 2 -c 512" in run.stderr
    assert (FOLDER / "bench-0.15b.gguf").exists() == was_kept


def test_its_servers_end_with_it(server):
    command = [sys.executable, "manage.py", "bench", *SMALL, "--max-tokens", "1500", "--requests", "1000"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(server.folder), stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(descendants(process.pid)) == 2)  # web process and worker
        children = descendants(process.pid)
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
    wait_until(lambda: not any(map(is_running, children)))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model", "nope"], "does not exist"),
        (["--url", "http://127.0.0.1:1/v1"], "127.0.0.1:1"),
        (["--clients", "0"], "list of numbers"),
        (["--clients", "x"], "list of numbers"),
        (["--rounds", "0"], "'0' is not a number from 1 on"),
        (["--scenario", "nope"], "'nope' is no scenario; there are throughput, "),
        (["--random-model", "0.15b"], "--random-model and --url exclude each other"),
        (["--parallel", "2"], "--parallel goes with --random-model"),
        (["--compare", "http://a", "--compare-command", "b"], "--compare and --compare-command exclude each other"),
        (["--scenario", "all", "--turns", "1"], "--turns 1: conversations need at least 2"),
    ],
)
def test_what_goes_wrong_is_said(server, arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("bench", "--url", server.base_url, *SMALL, *arguments)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model", "demo"], "--random-model and --model exclude"),
        (["--parallel", "65"], "--parallel 65: expected a number from 1 to 64"),
        (["--context", "100"], "--context 100: expected a number of at least 128"),
    ],
)
def test_what_a_random_model_cannot_be(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("bench", "--random-model", "0.15b", *arguments)


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [["--engine"], ["--compare-command", "llama-server -m {model}"]])
def test_what_needs_the_file_of_an_unknown_model_is_refused(server, arguments):
    with pytest.raises(CommandError, match="list_models"):
        call_command("bench", "--url", server.base_url, *arguments, *SMALL)
