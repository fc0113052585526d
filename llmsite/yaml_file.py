"""Reading YAML with errors that say where they are, and values that remember in which line they stand."""

from pathlib import Path
from typing import Any

import yaml

MAX_DEPTH = 5  # models[0].loras[0].path; what lies deeper, or contains itself, has no lines


class ConfigError(Exception):
    """The configuration cannot be used; the message says where and why."""


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice: YAML would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> tuple[Any, dict[str, int]]:
    """Return what the YAML file `path` holds, None if it is empty, and the line of each value by its dotted key.

    Dotted keys are those of the error messages: "server.port", "models[0].path"; "" stands for the whole file.
    Raises ConfigError if the file cannot be read.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # characters that YAML does not allow, the 30th of February
        raise ConfigError(f"{path}: {error}") from error


def parse_yaml(text: str) -> tuple[Any, dict[str, int]]:
    """Return the value of a YAML text and the lines as `read_yaml` does; raises yaml.YAMLError or ValueError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {"": 1}
        return loader.construct_document(node), _lines(node, "", MAX_DEPTH)
    finally:
        loader.dispose()


def _lines(node: yaml.Node, dotted: str, depth: int) -> dict[str, int]:
    lines = {dotted: node.start_mark.line + 1}
    if depth == 0:
        return lines
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{dotted}.{key.value}" if dotted else str(key.value)
            lines |= _lines(value, name, depth - 1) | {name: key.start_mark.line + 1}
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines |= _lines(item, f"{dotted}[{index}]", depth - 1)
    return lines
