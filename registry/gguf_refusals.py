"""Files that cannot be served, each with the sentence that says why."""

from pathlib import Path
from typing import Any

from gguf import Keys

from registry.gguf_header import GGUFError

MAGIC = b"GGUF"
_NOT_A_MODEL = "the server answered the download with this instead of the model"

# The first bytes of what people save under a .gguf name by mistake.
_FOREIGN_FORMATS = (
    (b"<!doctype html", f"an HTML page: {_NOT_A_MODEL}"),
    (b"<html", f"an HTML page: {_NOT_A_MODEL}"),
    (b"<?xml", f"an XML document: {_NOT_A_MODEL}"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with `git lfs pull`"),
    (b"pk\x03\x04", "a ZIP archive, as PyTorch checkpoints are: convert it to GGUF"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"\x80\x02", "a Python pickle, as old PyTorch checkpoints are: convert it to GGUF"),
    (b"\x80\x03", "a Python pickle: convert it to GGUF"),
    (b"\x80\x04", "a Python pickle: convert it to GGUF"),
    (b"\x80\x05", "a Python pickle: convert it to GGUF"),
    (b"ggml", "a model in the old GGML format: convert it to GGUF"),
    (b"lmgg", "a model in the old GGML format: convert it to GGUF"),
    (b"tjgg", "a model in the old GGJT format: convert it to GGUF"),
    (b"{", f"a JSON document: {_NOT_A_MODEL}"),
    (b"\0\0\0\0", "zeros: the download was not finished"),
)

_PROJECTOR = "it is a projector (mmproj) for images or sound; register the language model it belongs to instead"
_SEQ2SEQ = "it is an encoder-decoder model, which cannot answer chats"
_T5_ENCODER = "it is the encoder of a T5 model, which this server does not run"
_AUDIO = "it decodes sound and cannot write text"
_SPEECH = "it is the part of a speech synthesizer that turns text into codes of sound, and cannot write text"
_DRAFT = "it only guesses what another model will write, from what that one computes, and cannot write text by itself"

UNSERVABLE_ARCHITECTURES = {
    **dict.fromkeys(("eagle3", "dflash", "gemma4-assistant"), _DRAFT),
    **dict.fromkeys(("qwen3tts", "pockettts"), _SPEECH),
    "clip": _PROJECTOR,
    "t5": _SEQ2SEQ,
    "t5encoder": _T5_ENCODER,
    "wavtokenizer-dec": _AUDIO,
}
UNSERVABLE_TYPES = {
    "adapter": "it is a LoRA adapter; register the model it was made for and add the adapter to it",
    "mmproj": _PROJECTOR,
    "imatrix": "it is an importance matrix for quantizing, not a model",
}


def refuse_foreign_format(path: Path) -> None:
    """Raise GGUFError, saying what it looks like, if `path` does not start like a GGUF file."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start.startswith(MAGIC):
        raise GGUFError(f"{path} is not a GGUF file; it looks like {_looks_like(start)}.")


def refuse_unservable(fields: dict[str, Any]) -> None:
    """Raise GGUFError if the metadata is that of something which no endpoint can use."""
    architecture = str(fields.get(Keys.General.ARCHITECTURE))
    reason = UNSERVABLE_TYPES.get(fields.get(Keys.General.TYPE)) or UNSERVABLE_ARCHITECTURES.get(architecture)
    if reason:
        raise GGUFError(f"This file (architecture {architecture}) cannot be served: {reason}.")


def _looks_like(start: bytes) -> str:
    if start[8:10] == b'{"':
        return "a safetensors file: convert it to GGUF"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    for beginning, description in _FOREIGN_FORMATS:
        if text.startswith(beginning):
            return description
    return f"something else (it starts with {start[:8].hex(' ')})"
