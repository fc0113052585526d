"""The long fuzz: `python -m tests.fuzz [--bodies 10000] [--examples 10] [--seed 1]`.

First Schemathesis with an admin's key, with an ordinary one, and without any, where that is refused and where it is
not; then malformed bodies. The exit status is 1 if anything is found.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.bodies import send
from tests.fuzz.requests import check
from tests.fuzz.rig import Rig, running

GROWTH = 1.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument(
        "--examples", type=int, default=10, help="random cases an operation, besides the systematic ones"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    is_good = all([_requests(options, auth=True), _requests(options, auth=False), _bodies(options)])
    return 0 if is_good else 1


def _requests(options: argparse.Namespace, auth: bool) -> bool:
    keys = ("admin", "ordinary", None) if auth else (None,)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), auth) as rig:
        outcomes = [_ask(rig, key, options) for key in keys]
    return all(outcomes)


def _ask(rig: Rig, key: str | None, options: argparse.Namespace) -> bool:
    began = time.monotonic()
    outcome = check(rig, key, "-n", str(options.examples))
    name = key or ("none where one is needed" if rig.needs_key else "none")
    found = "nothing found" if outcome.is_good else outcome.text
    print(f"key: {name}, {outcome.num_cases} cases, {time.monotonic() - began:.0f} s, {found}", flush=True)
    return outcome.is_good


def _bodies(options: argparse.Namespace) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), auth=True) as rig:
        result = send(rig, options.bodies, options.seed)
    for (kind, status), count in sorted(result.counts.items()):
        print(f"{kind}: {count} x {status}")
    print(f"{time.monotonic() - began:.0f} s, memory x {result.growth:.3f}", *result.problems, sep="\n")
    return not result.problems and result.growth < GROWTH


if __name__ == "__main__":
    sys.exit(main())
