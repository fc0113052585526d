"""Damage model files in every way there is, and see that a running server survives each of them.

python -m tests.mutated_ggufs [--count N] [--skip N] [--report FILE]

docs/robustness.md says what came of it.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import django

from tests import live_server
from tests.mutations.catalogue import KINDS, Mutation, mutations, write_bases
from tests.mutations.trial import OUTCOMES, Outcome, Trial, remove

DEFAULT_COUNT = 400


def main(arguments: argparse.Namespace) -> int:
    """Print a line for each file that is accepted, and the totals; return 1 if anything came of one that must not."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with this process
    results: list[tuple[Mutation, Outcome]] = []
    with tempfile.TemporaryDirectory() as folder, _trial(Path(folder)) as trial:
        drawn = mutations(write_bases(Path(folder)))
        for number, mutation in enumerate(islice(drawn, arguments.skip, arguments.skip + arguments.count)):
            path = Path(folder) / f"{number}.gguf"
            mutation.write(path)
            outcome = trial.run(path)
            remove(path)
            results.append((mutation, outcome))
            print(f"{outcome.name:16} {mutation}: {outcome.detail.replace(str(path), 'FILE')}", flush=True)
    table = _table(Counter((mutation.kind, outcome.name) for mutation, outcome in results))
    print(table)
    if arguments.report:
        arguments.report.write_text(table)
    return 1 if any(outcome.name == "WRONG" for _, outcome in results) else 0


@contextmanager
def _trial(folder: Path) -> Iterator[Trial]:
    """Run a server with a database of its own, which this process shares."""
    live_server.set_up(folder)
    os.environ.update(live_server.environment(folder))
    django.setup()
    logging.getLogger("gguf").setLevel(logging.WARNING)
    server = live_server.start(folder)
    try:
        trial = Trial(server)
        yield trial
        trial.close()
    finally:
        server.stop()


def _table(counts: Counter[tuple[str, str]]) -> str:
    """Return how often each outcome came of each kind, as a Markdown table."""
    rows = [[kind, *(counts[kind, name] for name in OUTCOMES)] for kind in KINDS]
    totals = ["all", *(sum(counts[kind, name] for kind in KINDS) for name in OUTCOMES)]
    lines = [["damage", *OUTCOMES], ["---"] * (len(OUTCOMES) + 1), *rows, totals]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutated_ggufs", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="how many files")
    parser.add_argument("--skip", type=int, default=0, help="begin with a later one, as a name in a report has it")
    parser.add_argument("--report", type=Path, help="where to write the table as Markdown")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
