"""What llama.cpp knows of a GGUF file, as JSON: how the model remembers, and the texts of its tokens by their ids.

python -m tests.model_facts FILE

A process of its own: llama.cpp ends its process where a file breaks its assumptions.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.live_server import ROOT


@dataclass(frozen=True)
class ModelFacts:
    """spellings: as the API writes them; empty if llama.cpp cannot load the file."""

    memory: str
    spellings: list[str]


def look_inside(path: Path) -> ModelFacts:
    """Ask another process."""
    command = [sys.executable, "-m", "tests.model_facts", str(path)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ModelFacts(**json.loads(finished.stdout)) if finished.returncode == 0 else ModelFacts("unknown", [])


def main(path: str) -> None:
    from inference.bodies.completions import token_text
    from inference.engine import native_log
    from inference.engine.bindings import lib
    from inference.engine.vocabulary import Vocabulary

    native_log.install(quiet=True)
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp cannot load {path}")
    vocabulary = Vocabulary(model)
    spellings = [token_text(vocabulary.spelling(token)) for token in range(vocabulary.size)]
    json.dump({"memory": _memory(lib, model), "spellings": spellings}, sys.stdout)


def _memory(lib: object, model: int) -> str:
    """Say how the model remembers; every model but a recurrent one and one for diffusion has a KV cache."""
    if lib.llama_model_is_diffusion(model):
        return "none"
    window = "sliding window" if lib.llama_model_n_swa(model) else ""
    if lib.llama_model_is_recurrent(model):
        return "recurrent"
    if lib.llama_model_is_hybrid(model):
        return f"hybrid, {window}" if window else "hybrid"
    return window or "attention"


if __name__ == "__main__":
    main(sys.argv[1])
