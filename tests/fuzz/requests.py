"""Runs Schemathesis over /openapi.json, with all of its checks."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.rig import Rig
from tests.live_server import ROOT

CONFIG = Path(__file__).with_name("schemathesis.toml")
COUNT = re.compile(r"^\s*(\d+) generated", re.MULTILINE)


@dataclass
class Outcome:
    """What Schemathesis wrote; `is_good` if it found nothing, of `num_cases`."""

    is_good: bool
    num_cases: int
    text: str


def check(rig: Rig, key: str | None, *options: str) -> Outcome:
    """Ask with a key, or without one, which is refused where keys are required."""
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIG, "run"]
    command += [f"{rig.server.url}/openapi.json", "--no-color", *options]
    command += [part for name, value in rig.headers(key).items() for part in ("-H", f"{name}: {value}")]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(rig.server.folder / "hypothesis"),
        "FUZZ_RESPONSE_ID": rig.stored_response(key if key or not rig.needs_key else "admin"),
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    counted = COUNT.search(text)
    return Outcome(done.returncode == 0, int(counted[1]) if counted else 0, text)
