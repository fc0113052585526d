"""How long it takes to put one model in another's place: `python -m tests.swaps MODEL.gguf --server llama-server`.

Ours: a request for a model that does not fit beside the loaded one, from sending it to its first token. The other
server's: from starting it with the same file to the first token of a request that is sent as soon as it is ready.
"""

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests import live_server
from tests.live_server import LiveServer, free_port

CLIENT = httpx.Client(timeout=300)  # one for all: to make one takes a tenth of a second
QUESTION = [{"role": "user", "content": "Hello, who are you?"}]


def first_token(base_url: str, model: str) -> float:
    """Return the seconds from sending a request to its first token."""
    started = time.perf_counter()
    body = {"model": model, "messages": QUESTION, "stream": True, "max_tokens": 2, "ignore_eos": True}
    with CLIENT.stream("POST", f"{base_url}/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {") and any(
                each["delta"].get("content") for each in json.loads(line[6:])["choices"]
            ):
                return time.perf_counter() - started
    raise AssertionError("no token came")


def start(folder: Path, model: Path) -> LiveServer:
    """Start a server with two copies of a model, of which one fits; both have run before, so that they are measured."""
    for name in ("a", "b"):
        shutil.copy(model, folder / f"{name}.gguf")
    settings = {"ctx_size": 4096, "parallel": 4, "host_cache_mb": 0}
    models = [{"name": name, "path": str(folder / f"{name}.gguf"), **settings} for name in ("a", "b")]
    live_server.set_up(folder, models=models)
    server = live_server.start(folder)
    for name in ("a", "b"):
        first_token(server.base_url, name)
    token = server.manage("pool", "token").stdout.strip()
    shown = httpx.get(f"{server.base_url}/pool", headers={"Authorization": f"Bearer {token}"}, timeout=60).json()
    size = max(each["memory"]["host"] for each in shown["models"])
    time.sleep(2)  # what was measured is written once a second
    server.stop()
    live_server.write_config(folder, models=models, pool={"memory_budget": int(1.5 * size)})
    server = live_server.start(folder)
    first_token(server.base_url, "b")
    return server


def other(command: str, model: Path) -> float:
    """Return the seconds from starting another server to its first token."""
    port = free_port()
    words = [word.format(model=model, port=port) for word in shlex.split(command)]
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _is_ready(port):
            time.sleep(0.005)
        first_token(f"http://127.0.0.1:{port}/v1", "any")
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        return CLIENT.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--server", help="a command with {model} and {port}")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder), options.model)
        try:
            for number in range(options.rounds):
                ours.append(first_token(server.base_url, "ab"[number % 2]))
                if options.server:
                    theirs.append(other(options.server, options.model))
        finally:
            server.stop()
    print("swap, s:          ", *(f"{each:.2f}" for each in ours), f" median {statistics.median(ours):.2f}")
    if theirs:
        ratio = statistics.median(ours) / statistics.median(theirs)
        print("other's start, s: ", *(f"{each:.2f}" for each in theirs), f" median {statistics.median(theirs):.2f}")
        print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
