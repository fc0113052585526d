"""The process that looks how much memory each GPU has left, since the web process never loads llama.cpp.

Started as `python -m inference.engine.gpu_memory`. Its standard output carries a JSON list of bytes, in llama.cpp's
order of devices; standard error is llama.cpp's log.
"""

import json

from inference.engine import native_log
from inference.engine.devices import free_gpu_memory
from inference.engine.worker import claim_stdout


def main() -> None:
    """Answer once."""
    outbox = claim_stdout()
    native_log.install()
    outbox.write(json.dumps(free_gpu_memory()).encode())
    outbox.flush()


if __name__ == "__main__":
    main()
