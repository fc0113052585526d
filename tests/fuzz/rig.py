"""A server to be fuzzed: a chat model, an embedding model and a ranking model, with keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import live_server, pooling_models
from tests.live_server import DEMO, LiveServer

MAKE_KEYS = """
import json
from access.models import APIKey
print(json.dumps({name: APIKey.create(name, is_admin=name == "admin")[1] for name in ("ordinary", "admin")}))
"""
QUESTION = {"model": "demo", "messages": [{"role": "user", "content": "Count to 9."}], "temperature": 0}
RIGHT = "1, 2, 3, 4, 5, 6, 7, 8, 9"
MODELS = {"/v1/embeddings": "embedder", "/v1/rerank": "ranker"}  # `demo` for the others


@dataclass
class Rig:
    """keys: the texts of an ordinary and an admin's key. needs_key: whether whoever sends none is refused."""

    server: LiveServer
    keys: dict[str, str]
    needs_key: bool

    def headers(self, key: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[key]}"} if key else {}

    def post(self, path: str, body: dict, key: str | None = "admin") -> dict:
        answer = httpx.post(f"{self.server.url}{path}", json=body, headers=self.headers(key), timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stored_response(self, key: str | None) -> str:
        """Make a response; return its id, under which only this key, or all who send none, find it."""
        return self.post("/v1/responses", {"model": "demo", "input": "Hello!", "max_output_tokens": 4}, key)["id"]

    def answer(self) -> str:
        """Return what the model says when it is asked to count; it is RIGHT as long as the server is well."""
        return self.post("/v1/chat/completions", QUESTION)["choices"][0]["message"]["content"]


@contextmanager
def running(folder: Path, auth: bool) -> Iterator[Rig]:
    """Run a server that requires keys or does not; stop it in the end."""
    paths = {
        "demo": DEMO,
        "embedder": pooling_models.write_bert(folder / "embedder.gguf"),
        "ranker": pooling_models.write_bert(folder / "ranker.gguf", pooling=None, has_head=True),
    }
    models = [{"name": name, "path": str(path)} for name, path in paths.items()]
    live_server.set_up(folder, models=models, auth={"required": auth})
    made = live_server.manage(folder, "shell", "-c", MAKE_KEYS)
    assert made.returncode == 0, made.stderr
    rig = Rig(live_server.start(folder), json.loads(made.stdout.splitlines()[-1]), needs_key=auth)
    try:
        yield rig
    finally:
        rig.server.stop()
