"""What comes of one damaged file: is it refused, does it load, does a request end?"""

import json
import time
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.browser import Browser
from tests.live_server import LiveServer, descendants

MAX_REGISTRATION_MB = 64
MAX_REGISTRATION_SECONDS = 10
REQUEST_SECONDS = 180
NAME = "damaged"
QUESTION = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "max_tokens": 20}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("chat/completions", {**QUESTION, "logprobs": True, "top_logprobs": 3}),
    "embedding": ("embeddings", {"input": ["What is it?", "It is a file."]}),
    "rerank": ("rerank", {"query": "What is it?", "documents": ["It is a file.", "Nothing."]}),
}

Name = Literal["refused", "not loaded", "load crashed", "request refused", "request crashed", "answered", "WRONG"]
OUTCOMES: tuple[Name, ...] = (
    *("refused", "not loaded", "load crashed", "request refused", "request crashed", "answered", "WRONG"),
)


@dataclass(frozen=True)
class Outcome:
    """refused: by the registration. not loaded: by llama.cpp. crashed: the worker died. WRONG: what must not be."""

    name: Name
    detail: str = ""


def registration_of(path: Path) -> tuple[str, str]:
    """Register a file; return the kind of its model and the reason of a refusal, one of both "".

    Raises AssertionError where that takes too much, or where no sentence comes of it.
    """
    from registry.models import RegisteredModel
    from registry.registration import RegistrationError, register

    started = time.process_time()
    tracemalloc.start()
    reason = ""
    try:
        register(NAME, {"path": str(path), "ctx_size": None, "parallel": 2}, {})
    except RegistrationError as error:
        reason = " ".join(error.problems)
    finally:
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    assert peak < MAX_REGISTRATION_MB, f"the registration took {peak:.0f} MB"
    assert time.process_time() - started < MAX_REGISTRATION_SECONDS, "the registration took too long"
    assert not reason or is_sentence(reason), f"no sentence: {reason}"
    return ("", reason) if reason else (RegisteredModel.objects.get(name=NAME).kind, "")


def is_sentence(text: str) -> bool:
    """Say whether a message looks like one for people: with words, not endless, and no Python in it."""
    return (
        20 < len(text) < 2000
        and text.endswith(".")
        and not any(word in text for word in ("Traceback", "object at 0x", "NoneType"))
    )


class Trial:
    """Tries files on a running server, whose demo model must go on answering and whose other workers must end."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._browser = Browser(server)
        self._http = httpx.Client(base_url=f"{server.base_url}/", timeout=REQUEST_SECONDS)
        self._ask_demo()
        self._sound_workers = set(descendants(server.process.pid))

    def run(self, path: Path) -> Outcome:
        """Register the file and, if that is possible, ask the model."""
        try:
            kind, reason = registration_of(path)
            return Outcome("refused", reason) if reason else self._serve(kind)
        except Exception as error:
            return Outcome("WRONG", f"{type(error).__name__}: {error}")

    def close(self) -> None:
        self._http.close()
        self._browser.http.close()

    def _serve(self, kind: str) -> Outcome:
        endpoint, body = REQUESTS[kind]
        outcome = _outcome(self._http.post(endpoint, json={"model": NAME, **body}))
        self._browser.act("unload", NAME)
        self._ask_demo()
        left = set(descendants(self._server.process.pid)) - self._sound_workers
        return Outcome("WRONG", f"{len(left)} processes are left after: {outcome}") if left else outcome

    def _ask_demo(self) -> None:
        response = self._http.post("chat/completions", json={"model": "demo", "temperature": 0, **QUESTION})
        assert "Paris" in response.text, f"the demo model answers {response.text}"


def _outcome(response: httpx.Response) -> Outcome:
    body = json.loads(response.text, parse_constant=_refuse_constant)
    if response.status_code == httpx.codes.OK:
        return Outcome("answered")
    error = body["error"]
    message, code = error["message"], error["code"]
    if not is_sentence(message) or code == "internal_error":
        return Outcome("WRONG", message)
    if code == "load_failed":
        return Outcome("load crashed" if "the engine process" in message else "not loaded", message)
    return Outcome("request crashed" if code == "worker_died" else "request refused", message)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def remove(path: Path) -> None:
    """Delete whatever a mutation has made."""
    with suppress(OSError):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
