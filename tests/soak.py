"""Many clients of every kind on three models of which two fit: `python -m tests.soak [--minutes 10] [--clients 200]`.

Wrong answers, hangs, lost requests, and a server that grows are failures; the exit status is 1 then.
"""

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests import live_server
from tests.faults.rig import EXACT
from tests.live_server import DEMO, LiveServer

MODELS = ("first", "second", "third")
QUESTIONS = (
    "Count to 9.",
    "What is the capital of France?",
    "Hello!",
    "What is 2 plus 3?",
    "Say the word banana three times.",
)
PATIENCE = 280.0  # seconds; LibreChat's client gives up after 300 silent ones
GROWTH = 1.05


@dataclass
class Outcome:
    """What the clients have seen, by kind of client and result; `problems` are what must not be."""

    counts: Counter = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def note(self, kind: str, result: str) -> None:
        self.counts[kind, result] += 1

    def complain(self, kind: str, problem: str) -> None:
        self.note(kind, "PROBLEM")
        self.problems.append(f"{kind}: {problem}")


@dataclass
class Sample:
    """The web process at a time: seconds since the start, bytes, open file descriptors, processes below it."""

    seconds: float
    rss: int
    num_files: int
    num_children: int


class Soak:
    """One run. `answers` are what each question is answered with when nobody else asks."""

    def __init__(self, server: LiveServer, seed: int) -> None:
        self.server = server
        self.outcome = Outcome()
        self.samples: list[Sample] = []
        self.answers: dict[str, str] = {}
        self._random = random.Random(seed)
        self._url = f"{server.base_url}/chat/completions"
        self.kinds: dict[str, Callable[[httpx.AsyncClient], Awaitable[None]]] = {
            "normal": self._normal,
            "whole": self._whole,
            "abort": self._abort,
            "slow reader": self._slow_reader,
            "oversized": self._oversized,
            "malformed": self._malformed,
        }

    async def run(self, num_clients: int, seconds: float) -> None:
        await self._ask_alone()
        kinds = list(self.kinds)
        weights = (8, 4, 3, 2, 1, 1)
        end = time.monotonic() + seconds
        drawn = [*kinds, *self._random.choices(kinds, weights, k=max(0, num_clients - len(kinds)))]
        clients = [asyncio.create_task(self._client(kind, end)) for kind in drawn]
        watcher = asyncio.create_task(self._watch(end, seconds / 60))
        await asyncio.gather(*clients, watcher)

    async def _ask_alone(self) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            for model in MODELS:
                for question in QUESTIONS:
                    answer = await client.post(self._url, json=self._body(model, question, stream=False))
                    text = answer.json()["choices"][0]["message"]["content"]
                    assert self.answers.setdefault(question, text) == text

    async def _client(self, kind: str, end: float) -> None:
        """Ask again and again, each time on a new connection, until the end."""
        while time.monotonic() < end:
            await asyncio.sleep(self._random.expovariate(1 / 2))
            try:
                async with httpx.AsyncClient(timeout=PATIENCE) as client:
                    await asyncio.wait_for(self.kinds[kind](client), PATIENCE)
            except (asyncio.TimeoutError, httpx.TimeoutException):
                self.outcome.complain(kind, f"no end within {PATIENCE:.0f} s")
            except httpx.HTTPError as error:
                self.outcome.complain(kind, f"{type(error).__name__}: {error}")

    def _body(self, model: str, question: str, **change: object) -> dict:
        messages = [{"role": "user", "content": question}]
        return {"model": model, "messages": messages, "temperature": 0, "max_tokens": 60, "stream": True, **change}

    def _draw(self, **change: object) -> tuple[str, dict]:
        question = self._random.choice(QUESTIONS)
        return question, self._body(self._random.choice(MODELS), question, **change)

    async def _normal(self, client: httpx.AsyncClient) -> None:
        await self._stream(client, "normal", pause=0)

    async def _slow_reader(self, client: httpx.AsyncClient) -> None:
        await self._stream(client, "slow reader", pause=self._random.uniform(0.05, 0.3))

    async def _stream(self, client: httpx.AsyncClient, kind: str, pause: float) -> None:
        question, body = self._draw()
        text, error, is_done = "", "", False
        async with client.stream("POST", self._url, json=body) as response:
            if response.status_code != 200:
                await response.aread()
                self._refused(kind, response)
                return
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    is_done = True
                elif line.startswith("data: "):
                    chunk = json.loads(line[6:])
                    error = error or chunk.get("error", {}).get("message", "")
                    text += "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
                    await asyncio.sleep(pause)
        if error or not is_done:
            self.outcome.complain(kind, error or "the stream broke off")
        else:
            self._compare(kind, question, text)

    async def _whole(self, client: httpx.AsyncClient) -> None:
        question, body = self._draw(stream=False)
        response = await client.post(self._url, json=body)
        if response.status_code == 200:
            self._compare("whole", question, response.json()["choices"][0]["message"]["content"])
        else:
            self._refused("whole", response)

    async def _abort(self, client: httpx.AsyncClient) -> None:
        _, body = self._draw(ignore_eos=True, max_tokens=400)
        num_lines = self._random.randrange(20)
        async with client.stream("POST", self._url, json=body) as response:
            async for _ in response.aiter_lines():
                num_lines -= 1
                if num_lines <= 0:
                    break
        self.outcome.note("abort", "aborted")

    async def _oversized(self, client: httpx.AsyncClient) -> None:
        content = "a b c " * self._random.choice((2_000, 400_000))
        response = await client.post(self._url, json=self._body(MODELS[0], content, stream=False))
        self._expect("oversized", response, {400, 413})

    async def _malformed(self, client: httpx.AsyncClient) -> None:
        content = self._random.choice(
            (b"{", b"[]", b'{"model": "first"}', b"\xff", b'{"model": "nobody", "messages": 1}')
        )
        self._expect("malformed", await client.post(self._url, content=content), {400, 404})

    def _expect(self, kind: str, response: httpx.Response, allowed: set[int]) -> None:
        if response.status_code in allowed and response.json()["error"]["message"]:
            self.outcome.note(kind, f"{response.status_code}")
        else:
            self.outcome.complain(kind, f"{response.status_code}: {response.text[:200]}")

    def _refused(self, kind: str, response: httpx.Response) -> None:
        """A full server may refuse, in OpenAI's words; nothing else may."""
        self._expect(kind, response, {429})

    def _compare(self, kind: str, question: str, text: str) -> None:
        if text == self.answers[question]:
            self.outcome.note(kind, "answered")
        else:
            self.outcome.complain(kind, f"{question!r} was answered with {text!r}")

    async def _watch(self, end: float, interval: float) -> None:
        start = time.monotonic()
        while time.monotonic() < end:
            self.samples.append(sample(self.server.process.pid, time.monotonic() - start))
            await asyncio.sleep(interval)


def sample(pid: int, seconds: float) -> Sample:
    rss = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    num_files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(seconds, rss, num_files, len(live_server.descendants(pid)))


def start_server(folder: Path) -> LiveServer:
    """Start a server with three models, each with a file of its own, and a budget into which two of them fit."""
    server = _start(folder, "auto")
    token = server.manage("pool", "token").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    body = {"model": MODELS[0], "messages": [{"role": "user", "content": "Hello " * 300}]}
    httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    size = httpx.get(f"{server.base_url}/pool", headers=headers, timeout=60).json()["memory"]["used"]["host"]
    server.stop()
    return _start(folder, int(2.6 * size))


def _start(folder: Path, budget: int | str) -> LiveServer:
    for name in MODELS:
        shutil.copy(DEMO, folder / f"{name}.gguf")
    models = [
        {"name": name, "path": str(folder / f"{name}.gguf"), **EXACT, "parallel": 8, "host_cache_mb": 8}
        for name in MODELS
    ]
    limits = {"body_size": "1 MiB"}
    live_server.set_up(folder, models=models, pool={"memory_budget": budget}, limits=limits)
    return live_server.start(folder)


def growth(samples: list[Sample], of: Callable[[Sample], float]) -> float:
    """Return how many times as large the last quarter is as the one after the warm-up."""
    quarter = max(1, len(samples) // 4)
    first, last = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    return statistics.median(map(of, last)) / statistics.median(map(of, first))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--log", type=Path, help="keep the server's log in this file")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = start_server(Path(name))
        soak = Soak(server, options.seed)
        try:
            asyncio.run(soak.run(options.clients, options.minutes * 60))
            num_loads = server.log.count("loaded ")
        finally:
            status = server.stop()
            if options.log:
                options.log.write_text(server.log)
    return report(soak, options, num_loads, status)


def report(soak: Soak, options: argparse.Namespace, num_loads: int, status: int) -> int:
    """Print what happened; return 1 if anything did that must not."""
    memory, files = growth(soak.samples, lambda each: each.rss), growth(soak.samples, lambda each: each.num_files)
    print(f"{options.clients} clients, {options.minutes:g} minutes, seed {options.seed}, exit status {status}")
    for (kind, result), count in sorted(soak.outcome.counts.items()):
        print(f"  {kind:12} {result:10} {count:6}")
    last = soak.samples[-1]
    print(f"models loaded {num_loads} times; web process {last.rss / 2**20:.0f} MiB, × {memory:.3f} after the warm-up")
    print(f"open files {last.num_files}, × {files:.3f}; processes below it {last.num_children}")
    print(*soak.outcome.problems[:20], sep="\n")
    return int(bool(soak.outcome.problems) or memory >= GROWTH or files > 1.5 or status != 0)


if __name__ == "__main__":
    sys.exit(main())
