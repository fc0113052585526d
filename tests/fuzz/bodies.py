"""Sends malformed bodies and looks at the answers."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fuzz.malformed import bodies
from tests.fuzz.rig import RIGHT, Rig
from tests.live_server import ROOT


@dataclass
class Result:
    """Answers by kind of body and status, and what must not be.

    growth: of the web process's memory, from the least in the second quarter to the least in the last one. What a long
    list takes for a moment, up to 45 MB, the allocator gives back much later; a leak would raise the least, too.
    """

    counts: Counter = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    growth: float = 1.0


def send(rig: Rig, count: int, seed: int = 1) -> Result:
    """Send so many, one after another, and ask what the server still knows in the end."""
    result = Result()
    secrets = _secrets(rig)
    memory: list[int] = []
    with httpx.Client(base_url=rig.server.url, headers=rig.headers("admin"), timeout=120) as http:
        for number, body in enumerate(bodies(count, seed)):
            answer = http.post(body.path, content=body.content, headers={"Content-Type": body.content_type})
            result.counts[body.kind, answer.status_code] += 1
            result.problems += [f"{number} {body.kind} {body.path}: {found}" for found in problems(answer, secrets)]
            memory.append(_memory(rig.server.process.pid))
    result.growth = min(memory[-(count // 4) :]) / min(memory[count // 4 : count // 2])
    if (said := rig.answer()) != RIGHT:
        result.problems.append(f"afterwards the model says {said!r}")
    return result


def problems(answer: httpx.Response, secrets: list[str]) -> list[str]:
    """Return what is wrong with an answer, whatever it answers."""
    whole = f"{answer.headers}{answer.text}"
    found = [f"shows {secret!r}" for secret in secrets if secret in whole]
    if answer.status_code >= 500:
        found.append(f"status {answer.status_code}: {answer.text[:200]}")
    if answer.status_code >= 400:
        found += _misshapen(answer)
    return found


def _misshapen(answer: httpx.Response) -> list[str]:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return [f"no error in OpenAI's shape: {answer.text[:200]}"]
    if set(error) != {"message", "type", "param", "code"} or not error["message"] or not error["type"]:
        return [f"an incomplete error: {error}"]
    if error["param"] and error["param"] not in error["message"] and not _is_in_other_words(error):
        return [f"the message does not name the parameter: {error}"]
    return []


def _is_in_other_words(error: dict) -> bool:
    """Whether it is one of those that name no parameter: OpenAI's own, and a template's, which knows messages only."""
    own = error["code"] in ("context_length_exceeded", "previous_response_not_found")
    return own or error["message"].startswith("The chat template of model ")


def _secrets(rig: Rig) -> list[str]:
    """Return what no answer may hold: keys, the secret key, the places of files, and what tracebacks are made of."""
    return [
        *rig.keys.values(),
        "only-the-tests-use-this-key",
        str(rig.server.folder),
        str(ROOT),
        "Traceback",
        'File "/',
        ".py",
    ]


def _memory(pid: int) -> int:
    """Return a process's resident memory in pages."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
