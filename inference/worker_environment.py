"""The environment in which engines run."""

import os
from pathlib import Path

from inference.engine.huge_pages import ask_for_huge_pages

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: it must find this project's packages wherever the server was started.

    Where ggml aborts, it would start gdb for a backtrace: seconds in which the requests wait for their failure, and
    pages of it in the log (ggml_print_backtrace in ggml/src/ggml.c).
    """
    paths = [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "GGML_NO_BACKTRACE": "1"}
    ask_for_huge_pages(environment)
    return environment
