"""The layers of the configuration: a file, the files that it extends, and the environment, merged into one mapping.

Later layers win. Mappings merge key by key; every other value, lists too, replaces what was there. An empty section
changes nothing. Each value remembers where it comes from.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

import yaml

from llmsite.yaml_file import ConfigError, parse_yaml, read_yaml

EXTENDS = "extends"
ENVIRONMENT_PREFIX = "LLMSITE__"
SEPARATOR = "__"


@dataclass(frozen=True)
class Layer:
    """A raw configuration.

    raw: as YAML gives it, mostly a mapping.
    origins: where each value comes from, by its dotted key; "" for the whole.
    files: those that were read, the one that wins first.
    """

    raw: Any = None
    origins: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def origin(self, dotted: str) -> str:
        """Return where a value comes from, or what should contain it; "" if nobody has given any of them."""
        while dotted and dotted not in self.origins:
            dotted = dotted[: max(dotted.rfind("."), dotted.rfind("["), 0)]
        return self.origins.get(dotted, "")

    def over(self, base: "Layer") -> "Layer":
        """Return this layer laid over `base`."""
        if not isinstance(self.raw, dict) or not isinstance(base.raw, dict):
            no_mapping = [layer for layer in (self, base) if not isinstance(layer.raw, (dict, NoneType))]
            [winner, *_] = [*no_mapping, base if self.raw is None else self]
            return Layer(winner.raw, winner.origins, self.files + base.files)
        origins = dict(base.origins)
        raw = _merge(base.raw, self.raw, "", origins, self.origins)
        return Layer(raw, origins, self.files + base.files)


def read_files(path: Path, root: Path, may_be_missing: Path) -> Layer:
    """Return the layer of `path` over those that it extends.

    root: files inside it are named by their path relative to it.
    may_be_missing: a file to extend that need not exist.
    Raises ConfigError if another one cannot be read, or if a file extends itself, directly or not.
    """
    layer, below, seen = Layer(), path, []
    while below is not None:
        if below in seen:
            chain = " → ".join(_shown(file, root) for file in [*seen, below])
            raise ConfigError(f"{EXTENDS}: the files extend each other in a circle: {chain}")
        if seen and below == may_be_missing and not below.exists():
            break
        seen.append(below)
        read, below = _read_file(below, root)
        layer = layer.over(read) if layer.files else read
    return layer


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Return the layer of the variables LLMSITE__SECTION__KEY, whose values are YAML; empty ones count as not set.

    Raises ConfigError naming the variable if a value is not YAML, or if the name leads nowhere.
    """
    layer = Layer({})
    for name in sorted(environ):
        if name.startswith(ENVIRONMENT_PREFIX) and environ[name].strip():
            layer = _read_variable(name, environ[name]).over(layer)
    return layer


def _read_file(path: Path, root: Path) -> tuple[Layer, Path | None]:
    """Return what one file says, and the file that it extends."""
    raw, lines = read_yaml(path)
    origins = {dotted: f"{_shown(path, root)}:{line}" for dotted, line in lines.items()}
    below = None
    if isinstance(raw, dict) and EXTENDS in raw:
        below = _extended(raw.pop(EXTENDS), path, origins[EXTENDS])
    return Layer(raw, origins, (path,)), below


def _extended(name: Any, path: Path, origin: str) -> Path:
    if not isinstance(name, str) or not name:
        raise ConfigError(
            f"{origin}: {EXTENDS}: found {name!r}; expected the path of a YAML file, relative to this one"
        )
    return Path(os.path.normpath(path.parent / name))  # not resolved: a mounted file may be a link elsewhere


def _read_variable(name: str, text: str) -> Layer:
    keys = name.removeprefix(ENVIRONMENT_PREFIX).lower().split(SEPARATOR)
    if not all(keys) or keys[0] == EXTENDS:
        raise ConfigError(f"{name}: unknown variable; expected {ENVIRONMENT_PREFIX}SECTION{SEPARATOR}KEY")
    try:
        raw, lines = parse_yaml(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{name}: not YAML: {getattr(error, 'problem', None) or error}") from error
    dotted = ".".join(keys)
    inside = [f"{dotted}{key if key.startswith('[') else f'.{key}'}" for key in lines if key]
    around = [".".join(keys[:size]) for size in range(1, len(keys) + 1)]
    for key in reversed(keys):
        raw = {key: raw}
    return Layer(raw, dict.fromkeys([*around, *inside], name))


def _merge(base: dict, top: dict, dotted: str, origins: dict[str, str], top_origins: Mapping[str, str]) -> dict:
    """Return `top` over `base`, and note in `origins`, those of the base, where the values are from now."""
    merged = dict(base)
    for key, value in top.items():
        name = f"{dotted}.{key}" if dotted else str(key)
        below = merged.get(key)
        if isinstance(below, dict) and value is None:
            continue
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(below, value, name, origins, top_origins)
            continue
        merged[key] = value
        for old in [old for old in origins if _is_within(old, name)]:
            del origins[old]
        origins |= {new: origin for new, origin in top_origins.items() if _is_within(new, name)}
    return merged


def _is_within(dotted: str, name: str) -> bool:
    return dotted == name or dotted.startswith((f"{name}.", f"{name}["))


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
