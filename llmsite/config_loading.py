"""Reading the configuration: which file, what it extends, what the environment says instead."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmsite.config import KNOWN_KEYS, PROJECT_ROOT, SECTIONS, Config, resolve_path
from llmsite.config_layers import Layer, read_environment, read_files
from llmsite.config_models import ModelEntry, model_name_for
from llmsite.config_values import Reader
from llmsite.yaml_file import ConfigError

DEFAULT_FILE: Path = PROJECT_ROOT / "config" / "config.yml"
THE_FILE = "the file"


def load_config(path: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration in `path`, else in $CONFIG_PATH, else in config/config.yml, else the defaults.

    environ: instead of the process's environment. Its variables LLMSITE__SECTION__KEY win over the files.
    Raises ConfigError naming every problem and where it stands, or the file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    layers = read_environment(environ).over(_read_files(path or environ.get("CONFIG_PATH")))
    reader = Reader()
    config = _read_config(reader, layers.raw)
    if reader.problems:
        count = "1 problem" if len(reader.problems) == 1 else f"{len(reader.problems)} problems"
        lines = [f"{_origin(layers, problem.key)}: {problem}" for problem in reader.problems]
        raise ConfigError("\n  ".join([f"The configuration has {count}:", *lines]))
    return replace(config, layers=layers)


def _read_files(chosen: str | Path | None) -> Layer:
    if not chosen and not DEFAULT_FILE.exists():
        return Layer({})
    layer = read_files(resolve_path(chosen) if chosen else DEFAULT_FILE, PROJECT_ROOT, may_be_missing=DEFAULT_FILE)
    return layer if layer.raw is not None else replace(layer, raw={})


def _origin(layers: Layer, key: str) -> str:
    """Return where a problem's key stands; what is missing is missing in what should contain it."""
    return layers.origin("" if key == THE_FILE else key)


def _read_config(reader: Reader, raw: Any) -> Config:
    """Return the Config in `raw`; it is of use only if `reader` has no problems afterwards."""
    mapping = reader.mapping(raw, THE_FILE) or {}
    reader.refuse_unknown(mapping, KNOWN_KEYS)
    sections = {name: reader.section(kind, mapping.get(name), name) for name, kind in SECTIONS.items()}
    return Config(models=_read_models(reader, mapping), **sections)


def _read_models(reader: Reader, mapping: dict) -> tuple[ModelEntry, ...]:
    """Return the entries of `model:` and `models:`, each with a name of its own."""
    entries = {} if mapping.get("model") is None else {"model": mapping["model"]}
    listed = mapping.get("models") or []
    if isinstance(listed, list):
        entries |= {f"models[{index}]": raw for index, raw in enumerate(listed)}
    else:
        reader.refuse("models", f"found {listed!r}; expected a list of models, each with a path")
    models = {where: _read_model(reader, raw, where) for where, raw in entries.items()}
    _refuse_duplicates(reader, {where: model.name for where, model in models.items() if model})
    return tuple(model for model in models.values() if model)


def _read_model(reader: Reader, raw: Any, where: str) -> ModelEntry | None:
    model = reader.section(ModelEntry, raw, where)
    if model is None:
        return None
    model = replace(model, name=model.name or model_name_for(model.path), named=frozenset(raw), where=where)
    if not model.name:
        reader.refuse(f"{where}.name", f"missing, and no name can be made from {model.path!r}; give one")
    return model


def _refuse_duplicates(reader: Reader, names: dict[str, str]) -> None:
    counts = Counter(names.values())
    for where, name in names.items():
        if name and counts[name] > 1:
            others = ", ".join(other for other in names if other != where and names[other] == name)
            reader.refuse(f"{where}.name", f"{name!r} is also the name of {others}; each model needs its own")
