"""Serve every model of a folder and compare what it answers to several at once with what it answers alone.

python -m tests.all_architectures DIR [--tokenizer GGUF] [--only NAMES] [--parallel N] [--report FILE]

docs/architectures.md says where the models come from.
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
from dataclasses import dataclass
from pathlib import Path

import django

from tests import live_server
from tests.architecture_check import ALONE, CONTEXT, CONVERSATIONS, TOGETHER, Checker, Outcome, Result
from tests.gguf_files import vocabulary_size, write_with_tokenizer
from tests.model_facts import look_inside

OUTCOMES: tuple[Outcome, ...] = ("exact", "tie", "refused", "wrong", "crashed")
HEADINGS = ("model", "memory", "continued", "edited", "difference", "outcome")
COLUMNS = "{:24} {:22} {:>9} {:>6} {:>10}  {}"


@dataclass(frozen=True)
class Row:
    """A file's line of the table. memory: how llama.cpp remembers with this architecture."""

    name: str
    memory: str
    result: Result

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under HEADINGS."""
        result = self.result
        shares = ("" if share is None else f"{share:.0%}" for share in (result.continued, result.edited))
        difference = "" if result.difference is None else f"{result.difference:.1e}"
        outcome = f"{result.outcome}: {result.detail}" if result.detail else result.outcome
        return self.name, self.memory, *shares, difference, outcome


def main(arguments: argparse.Namespace) -> int:
    """Print a line for each model and the totals; return 1 if any was wrong or crashed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with this process
    rows = []
    print(COLUMNS.format(*HEADINGS))
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as base_url:
        for path in _paths(arguments):
            with _with_tokenizer(path, arguments.tokenizer, Path(folder)) as served:
                rows.append(_check(served, arguments.parallel, base_url))
            print(COLUMNS.format(*rows[-1].cells), flush=True)
    totals = Counter(row.result.outcome for row in rows)
    print(", ".join(f"{totals[outcome]} {outcome}" for outcome in OUTCOMES), f"of {len(rows)}")
    if arguments.report:
        arguments.report.write_text(_report(rows))
    return 1 if totals["wrong"] or totals["crashed"] else 0


def _paths(arguments: argparse.Namespace) -> list[Path]:
    return sorted(arguments.folder.glob(f"{arguments.only or '*'}.gguf"))


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Run a server with a database of its own, which this process shares; yield the API's base URL."""
    live_server.set_up(folder)
    os.environ.update(live_server.environment(folder))
    django.setup()
    logging.getLogger("gguf").setLevel(logging.WARNING)
    server = live_server.start(folder)
    try:
        yield server.base_url
    finally:
        server.stop()


@contextmanager
def _with_tokenizer(path: Path, tokenizer: Path | None, folder: Path) -> Iterator[Path]:
    """Yield a copy with the other tokenizer; the file itself if there is none, or none for its number of tokens."""
    if tokenizer is None or vocabulary_size(path) != vocabulary_size(tokenizer):
        yield path
        return
    copy = write_with_tokenizer(path, tokenizer, folder / path.name)
    yield copy
    copy.unlink()


def _check(path: Path, parallel: int, base_url: str) -> Row:
    from registry.models import RegisteredModel
    from registry.registration import RegistrationError, register

    facts = look_inside(path)
    checker = Checker(base_url)
    try:
        # Other settings under the same names: the server loads the new file and ends the engine of the one before.
        for name, num_slots in ((TOGETHER, parallel), (ALONE, 1)):
            register(name, {"path": str(path), "ctx_size": CONTEXT, "parallel": num_slots}, {})
        result = checker.check(RegisteredModel.objects.get(name=TOGETHER).kind, facts)
    except RegistrationError as error:
        result = Result("refused", " ".join(error.problems))
    finally:
        checker.close()
    return Row(path.stem, facts.memory, result)


def _report(rows: list[Row]) -> str:
    """Return the totals by kind of memory and the lines of all models as Markdown tables."""
    memories = sorted({row.memory for row in rows})
    counts = Counter((row.memory, row.result.outcome) for row in rows)
    lines = [_line("memory", *OUTCOMES), _line(*["---"] * (len(OUTCOMES) + 1))]
    lines += [_line(memory, *(str(counts[memory, outcome]) for outcome in OUTCOMES)) for memory in memories]
    lines += ["", _line(*HEADINGS), _line(*["---"] * len(HEADINGS))]
    return "\n".join([*lines, *(_line(*row.cells) for row in rows), ""])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.all_architectures", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder with the GGUF files")
    parser.add_argument(
        "--tokenizer", type=Path, help="a GGUF file whose tokenizer takes the place of each model's own"
    )
    parser.add_argument("--only", help="the names of files without .gguf, such as qwen3*")
    parser.add_argument("--parallel", type=int, default=CONVERSATIONS, help="requests to compute at once")
    parser.add_argument("--report", type=Path, help="where to write the tables as Markdown")
    arguments = parser.parse_args()
    if not _paths(arguments):
        parser.error(f"there is no {arguments.only or '*'}.gguf in {arguments.folder}")
    return arguments


if __name__ == "__main__":
    sys.exit(main(_arguments()))
