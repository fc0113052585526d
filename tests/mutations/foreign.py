"""What is not a GGUF file, or not a file, under the name of one."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.mutations.layout import Layout


def foreign(layout: Layout) -> dict[str, Callable[[Path], object]]:
    """Return what writes each of them to a path."""
    model = layout.pack()
    return {
        "nothing": lambda path: None,
        "an empty file": Path.touch,
        "a directory": Path.mkdir,
        "a FIFO": os.mkfifo,
        "a device": lambda path: path.symlink_to("/dev/zero"),
        "a link to itself": lambda path: path.symlink_to(path),
        "a link to nothing": lambda path: path.symlink_to("nowhere"),
        "an unreadable file": lambda path: (path.write_bytes(model), path.chmod(0)),
        "a text": lambda path: path.write_text("Not every file is a model.\n" * 99),
        "a web page": lambda path: path.write_text("<!DOCTYPE html><title>Sign in</title>"),
        "a ZIP archive": _write_zip,
        "a safetensors file": _write_safetensors,
        "a pickle": lambda path: path.write_bytes(b"\x80\x02}q\0."),
        "zeros": lambda path: path.write_bytes(bytes(len(model))),
        "only the magic": lambda path: path.write_bytes(b"GGUF"),
        "another magic": lambda path: path.write_bytes(b"GGUX" + model[4:]),
        "a model after a line": lambda path: path.write_bytes(b"\n" + model),
        "a model twice": lambda path: path.write_bytes(model + model),
        "a model before 64 MB of zeros": lambda path: (path.write_bytes(model), os.truncate(path, 2**26)),
    }


def _write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"\x80\x02}q\0.")


def _write_safetensors(path: Path) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
