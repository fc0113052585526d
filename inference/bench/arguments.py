"""The options of `manage.py bench`, and which of them go together."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from inference.bench.client import BenchError
from inference.bench.random_model import SHAPES
from inference.bench.scenarios import SCENARIOS
from inference.bench.scenarios.base import Options
from llmsite.config_models import MAX_PARALLEL, MIN_CONTEXT

DEFAULT_PARALLEL = 8
DEFAULT_CONTEXT = 4096  # tokens: enough for all scenarios as they are
COMPARED_ROUNDS = 3
SIZES = {
    "requests": "requests of each client (throughput, speculative, structured)",
    "prompt_words": "words of each prompt",
    "max_tokens": "tokens of each answer",
    "system_words": "words of the shared system prompt",
    "intruder_words": "words of the intruder's prompt",
    "stream_tokens": "tokens that each stream beside the intruder may take; they end when it has its answer",
    "conversations": "conversations that take turns",
    "turns": "turns of each conversation",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "--scenario",
        type=_scenarios,
        default=["throughput"],
        help=f"one or more of {', '.join(SCENARIOS)}, separated by commas, or all (default throughput)",
    )
    what.add_argument("--model", help="the model's name: a registered one, or what the server at --url calls it (demo)")
    what.add_argument("--url", help="base URL of a running server; without it one is started")
    what.add_argument("--engine", action="store_true", help="measure the bare engine in the same run as well")
    what.add_argument("--api-key", default=_environment_key(), help="default $OPENAI_API_KEY")
    _add_random_model(parser.add_argument_group("a model with random weights"))
    _add_comparison(parser.add_argument_group("comparing"))
    how = parser.add_argument_group("how much")
    how.add_argument("--clients", type=_counts, help="concurrent clients, such as 1,4,8 (default: each scenario's own)")
    for name, text in SIZES.items():
        default = getattr(Options, name)
        how.add_argument(
            f"--{name.replace('_', '-')}", type=_count, default=default, help=f"{text} (default {default})"
        )
    how.add_argument("--rounds", type=_count, help=f"repeat everything (default 1, {COMPARED_ROUNDS} when comparing)")
    how.add_argument("--seed", type=int, help="draw the same prompts as the run that had this seed")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of tables")


def _add_random_model(group: Any) -> None:
    group.add_argument("--random-model", choices=SHAPES, help="make a Qwen3 of this size for this run only")
    group.add_argument("--parallel", type=_count, help=f"its parallel requests (default {DEFAULT_PARALLEL})")
    group.add_argument("--context", type=_count, help=f"its context, tokens of a sequence (default {DEFAULT_CONTEXT})")
    group.add_argument("--keep", action="store_true", help="keep its file in models/ for the next run")


def _add_comparison(group: Any) -> None:
    group.add_argument("--compare", metavar="URL", help="base URL of another server to measure in turn with the first")
    group.add_argument(
        "--compare-command",
        metavar="COMMAND",
        help="start the other server, for example: llama-server -m {model} --port {port} -np {parallel} "
        "-c {total_context}; also {context}, the tokens of one sequence",
    )
    group.add_argument(
        "--compare-model", metavar="NAME", help="its model (default the same); alone, another model of the same server"
    )
    group.add_argument(
        "--compare-api-key", help="default $OPENAI_API_KEY", default=os.environ.get("OPENAI_API_KEY", "")
    )


def check_arguments(options: dict[str, Any]) -> None:
    """Raise BenchError if options contradict each other."""
    for one, other, why in (
        ("random_model", "url", "the model is made for a server that is started here"),
        ("random_model", "model", "it has a name of its own"),
        ("compare", "compare_command", "the other server either runs already or is started"),
    ):
        if options[one] and options[other]:
            raise BenchError(f"--{_dashed(one)} and --{_dashed(other)} exclude each other: {why}")
    for name in ("parallel", "context", "keep"):
        if options[name] and not options["random_model"]:
            raise BenchError(f"--{name} goes with --random-model; a registered model has its settings in the admin")
    _check_range(options, "parallel", 1, MAX_PARALLEL)
    _check_range(options, "context", MIN_CONTEXT, None)
    if options["turns"] < 2 and "conversations" in options["scenario"]:
        raise BenchError(f"--turns {options['turns']}: conversations need at least 2, to reuse what the first computed")


def _check_range(options: dict[str, Any], name: str, low: int, high: int | None) -> None:
    value = options[name]
    if value is not None and (value < low or (high and value > high)):
        allowed = f"from {low} to {high}" if high else f"of at least {low}"
        raise BenchError(f"--{name} {value}: expected a number {allowed}")


def sizes_of(options: dict[str, Any]) -> Options:
    clients = tuple(options["clients"]) if options["clients"] else None
    return Options(clients, **{name: options[name] for name in SIZES})


def is_comparing(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("compare", "compare_command", "compare_model"))


def _environment_key() -> str:
    return os.environ.get("OPENAI_API_KEY", "")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _scenarios(text: str) -> list[str]:
    names = list(SCENARIOS) if text == "all" else text.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise ArgumentTypeError(f"{unknown[0]!r} is no scenario; there are {', '.join(SCENARIOS)} and all")
    return list(dict.fromkeys(names))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _counts(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(_count(part) for part in text.split(",")))
    except ArgumentTypeError:
        raise ArgumentTypeError(f"{text!r} is not a list of numbers such as 1,8") from None
