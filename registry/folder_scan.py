"""The GGUF files that lie in the model folders, and what each of them is."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from gguf import Keys

from registry.gguf import GGUFError, GGUFMetadata, read_metadata, read_part
from registry.model_folders import is_inside, model_folders
from registry.registration import portable_path

MAX_FILES = 5000  # a folder with more is hardly one of models
MAX_DEPTH = 8
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)


class Use(models.TextChoices):
    """What a file is good for."""

    MODEL = "model", _("model")
    ADAPTER = "adapter", _("LoRA adapter")
    PROJECTOR = "projector", _("projector (mmproj)")
    NONE = "none", _("cannot be served")


@dataclass(frozen=True)
class FoundFile:
    """A GGUF, of a split model its first part. problem: why it cannot be served. metadata: of models only."""

    path: str
    size_bytes: int
    use: Use
    num_parts: int = 1
    problem: str = ""
    metadata: GGUFMetadata | None = None


@dataclass(frozen=True)
class Scan:
    """What was found. is_complete: False if there are more files than are looked at."""

    files: tuple[FoundFile, ...]
    is_complete: bool


def scan(registered: Iterable[Path] = ()) -> Scan:
    """Look at all files in the folders but those that are registered, and the later parts of split models."""
    known = {path.resolve() for path in registered}
    paths = sorted(islice(_gguf_paths(), MAX_FILES + 1))
    groups = list(_groups(paths[:MAX_FILES]))
    files = [_examined(parts, missing) for parts, missing in groups if parts[0].resolve() not in known]
    return Scan(tuple(sorted(files, key=_order)), len(paths) <= MAX_FILES)


def _gguf_paths() -> Iterator[Path]:
    """Yield every file once, also if a folder lies in another one."""
    seen = set()
    for folder in model_folders():
        for root, folders, names in os.walk(folder):
            is_deep = len(Path(root).relative_to(folder).parts) >= MAX_DEPTH
            folders[:] = [] if is_deep else sorted(name for name in folders if not name.startswith("."))
            for name in names:
                path = Path(root) / name
                if name.lower().endswith(".gguf") and path not in seen:
                    seen.add(path)
                    yield path


def _groups(paths: list[Path]) -> Iterator[tuple[list[Path], bool]]:
    """Yield the parts of each model, and whether the first is missing."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        match = _PART.fullmatch(path.name)
        groups.setdefault((path.parent, f"{match['stem']} {match['count']}" if match else path.name), []).append(path)
    for parts in groups.values():
        match = _PART.fullmatch(parts[0].name)
        yield parts, match is not None and int(match["number"]) != 1


def _examined(parts: list[Path], is_headless: bool) -> FoundFile:
    path = parts[0]
    found = FoundFile(portable_path(path), _size(parts), Use.NONE, len(parts))
    if not all(is_inside(part) for part in parts):
        return replace(found, problem=str(_("It is a link that leads out of the model folders.")))
    if is_headless:
        return replace(found, problem=str(_("The first part is missing.")))
    stamps = tuple((part.stat().st_mtime_ns, part.stat().st_size) for part in parts)
    return replace(found, **_looked_at(path, stamps))


@lru_cache(maxsize=MAX_FILES)
def _looked_at(path: Path, stamps: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    """Return what the file says; it is read again when one of its parts has changed."""
    try:
        metadata = read_metadata(path)
        return {"use": Use.MODEL, "metadata": metadata}
    except GGUFError as error:
        return {"use": _other_use(path), "problem": str(error)}


def _other_use(path: Path) -> Use:
    """Return what a file is that is no model."""
    try:
        fields = read_part(path).fields
    except GGUFError:
        return Use.NONE
    kind, architecture = fields.get(Keys.General.TYPE), fields.get(Keys.General.ARCHITECTURE)
    if kind == "adapter":
        return Use.ADAPTER
    return Use.PROJECTOR if kind == "mmproj" or architecture == "clip" else Use.NONE


def _size(parts: list[Path]) -> int:
    return sum(part.stat().st_size for part in parts if part.exists())


def _order(file: FoundFile) -> tuple:
    return (file.use != Use.MODEL, list(Use).index(file.use), file.path)
