"""A live server with two models under load, and what happened to every stream."""

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests import live_server
from tests.live_server import DEMO, LiveServer, descendants

VICTIM, BYSTANDER = "victim", "bystander"
STREAMS = 4  # of each model
STEP_TIMEOUT = 4  # seconds; a machine at its limits lets an engine wait for one or two
LENGTH = 250  # tokens
# So that an answer does not depend on what else is computed in the same batch.
EXACT = {"kv_type_k": "f32", "kv_type_v": "f32", "flash_attention": "off", "ctx_size": 1024, "parallel": STREAMS}


@dataclass
class Stream:
    """One streamed answer. error: the message of an error, sent as an event or as the whole answer; "" for none."""

    model: str
    number: int
    text: str = ""
    error: str = ""
    is_done: bool = False
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_lost(self) -> bool:
        """Whether it ended without an end and without an error."""
        return not self.is_done and not self.error


class Rig:
    """Two models over files of their own; `victim` is what something happens to."""

    def __init__(self, folder: Path, **pool: object) -> None:
        self.folder = folder
        self.files = {name: folder / f"{name}.gguf" for name in (VICTIM, BYSTANDER)}
        self.restore_files()
        models = [{"name": name, "path": str(path), **EXACT} for name, path in self.files.items()]
        server = {"shutdown_timeout": 1}
        live_server.set_up(folder, models=models, server=server, pool={"step_timeout": STEP_TIMEOUT, **pool})
        self.server: LiveServer = live_server.start(folder)
        token = live_server.manage(folder, "pool", "token").stdout.strip()
        self._operator = {"Authorization": f"Bearer {token}"}

    def restore_files(self) -> None:
        """Give both models sound files; new ones, so that nobody who has the old ones open sees a change."""
        for path in self.files.values():
            path.unlink(missing_ok=True)
            shutil.copy(DEMO, path)

    async def ask(self, model: str, number: int = 0, **change: object) -> Stream:
        """Stream one answer to its end, whatever that is."""
        stream = Stream(model, number)
        await self._read(stream, change)
        return stream

    async def under_load(self, cause: "object") -> list[Stream]:
        """Run streams of both models; when all have begun, call `cause` and wait for their ends."""
        streams = [Stream(model, number) for number in range(STREAMS) for model in (VICTIM, BYSTANDER)]
        tasks = [asyncio.create_task(self._read(stream, {})) for stream in streams]
        await asyncio.gather(*(stream.has_begun.wait() for stream in streams))
        await asyncio.to_thread(cause)
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        return streams

    def worker(self, model: str) -> int:
        """Return the process of a loaded model."""
        return self.workers()[model]

    def workers(self) -> dict[str, int]:
        """Return the processes of the loaded models by name, as the server tells them to operators."""
        shown = httpx.get(f"{self.server.base_url}/pool", headers=self._operator, timeout=60).json()
        return {each["name"]: each["pid"] for each in shown["models"] if each["pid"]}

    def order(self, action: str, model: str) -> None:
        """Load or unload a model as an operator."""
        url = f"{self.server.base_url}/models/{model}/{action}"
        assert httpx.post(url, headers=self._operator, timeout=60).status_code == 200

    def children(self) -> list[int]:
        return descendants(self.server.process.pid)

    async def _read(self, stream: Stream, change: dict) -> None:
        body = {
            "model": stream.model,
            "messages": [{"role": "user", "content": f"Tell me story number {stream.number}."}],
            "stream": True,
            "temperature": 0,
            "ignore_eos": True,
            "max_tokens": LENGTH,
            **change,
        }
        try:
            async with (
                httpx.AsyncClient(timeout=60) as client,
                client.stream("POST", f"{self.server.base_url}/chat/completions", json=body) as response,
            ):
                if response.status_code != 200:
                    await response.aread()
                    stream.error = response.json()["error"]["message"]
                    return
                async for line in response.aiter_lines():
                    _take(stream, line)
        finally:
            stream.has_begun.set()


def _take(stream: Stream, line: str) -> None:
    if line == "data: [DONE]":
        stream.is_done = True
    elif line.startswith("data: "):
        chunk = json.loads(line[6:])
        if "error" in chunk:
            stream.error = chunk["error"]["message"]
            return
        for choice in chunk["choices"]:
            stream.text += choice["delta"].get("content") or ""
            stream.has_begun.set()
