"""`manage.py bench`: the command on a live server, and its arithmetic."""

import asyncio
import json
import re

import pytest
from django.core.management import CommandError, call_command

from inference.bench.load import Timing, Workload, run_load
from inference.bench.report import figures, percentile
from inference.bench.structured import structured

SMALL = ["--clients", "1,2", "--requests", "1", "--max-tokens", "8", "--prompt-words", "5"]


def test_it_measures_a_running_server(server, capsys):
    call_command("bench", "--url", server.base_url, "--json", *SMALL)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["scenario"], row["clients"], row["requests"]) for row in rows] == [("HTTP", 1, 1), ("HTTP", 2, 2)]
    for row in rows:
        assert row["tokens_per_second"] > 0
        assert 0 < row["first_token_p50"] <= row["first_token_p95"]
        assert row["gap_p50"] <= row["gap_p99"] <= row["gap_max"]


def test_it_starts_a_server_and_compares_it_with_the_bare_engine(server):
    run = server.manage("bench", "--engine", *SMALL)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("HTTP") == run.stdout.count("engine") == 2
    assert "tok/s" in run.stdout
    assert "round 1 of 1 done" in run.stderr


def test_it_compares_answers_with_and_without_a_schema(server):
    run = server.manage("bench", "--engine", "--scenario", "structured", "--rounds", "2", *SMALL)
    assert run.returncode == 0, run.stderr
    for scenario in ("HTTP free", "HTTP schema", "engine free", "engine schema"):
        assert run.stdout.count(scenario) == 4
    assert run.stdout.count("beside") == 2
    for kind in ("HTTP", "engine"):
        for clients in (1, 2):
            assert re.search(
                rf"^{kind}, {clients} clients: schema ÷ free [\d.]+, [\d.]+; median", run.stdout, re.MULTILINE
            )


def test_no_answer_that_fits_the_schema_is_too_short(server):
    [timing], _ = asyncio.run(run_load(f"{server.base_url}/", structured(Workload("demo", 5, 40)), 1, 1))
    assert timing.completion_tokens == 40


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model", "nope"], "does not exist"),
        (["--url", "http://127.0.0.1:1/v1"], "127.0.0.1:1"),
        (["--clients", "0"], "list of numbers"),
        (["--clients", "x"], "list of numbers"),
    ],
)
def test_what_goes_wrong_is_said(server, arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("bench", "--url", server.base_url, *SMALL, *arguments)


@pytest.mark.django_db
def test_the_engine_of_an_unknown_model_is_refused(server):
    with pytest.raises(CommandError, match="list_models"):
        call_command("bench", "--url", server.base_url, "--engine", *SMALL)


def test_prompts_are_the_same_for_the_same_seed_only():
    assert Workload("m", seed=1).prompts(3) == Workload("m", seed=1).prompts(3)
    assert Workload("m", seed=1).prompts(3) != Workload("m", seed=2).prompts(3)
    assert len(Workload("m", prompt_words=7).prompts(1)[0].split()) == 7


def test_figures_add_up():
    timings = [
        Timing(started=0.0, arrivals=[1.0, 1.1, 1.3], completion_tokens=3),
        Timing(started=0.5, arrivals=[2.5, 2.6, 2.7], completion_tokens=5),
    ]
    row = figures("HTTP", 2, timings, seconds=4.0)
    assert row.tokens_per_second == 2.0
    assert (row.first_token_p50, row.first_token_p95) == (1.0, 2.0)
    assert (row.gap_p50, row.gap_max) == (100.0, 200.0)


def test_a_request_without_text_has_no_first_token():
    assert figures("HTTP", 1, [Timing(0.0)], 1.0).first_token_p50 == 0


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (75, 3), (99, 4), (1, 1)])
def test_percentile(percent, value):
    assert percentile([4, 1, 3, 2], percent) == value
