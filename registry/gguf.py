"""What a GGUF file says about its model, and whether the model can be served at all."""

import re
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gguf import Keys, LlamaFileType

from registry.gguf_header import GGUFError, Header, read_header
from registry.gguf_refusals import refuse_foreign_format, refuse_unservable
from registry.model_kinds import Kind, kind_of

__all__ = ["GGUFError", "GGUFMetadata", "modified_at", "part_paths", "read_metadata", "read_part"]

MAX_INTEGER = 2**31 - 1
MAX_PARTS = 1000
MAX_NAMED = 10  # of the parts that are missing
MAX_TEMPLATE_BYTES = 2**17  # those in use take up to 17 KB; Jinja takes seconds and gigabytes for megabytes
_PART_NAME = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


@dataclass(frozen=True)
class GGUFMetadata:
    """What a registration keeps about its file; None and "" mean that the file does not say."""

    kind: Kind
    architecture: str
    display_name: str
    parameter_count: int
    quantization: str
    trained_context: int | None
    layer_count: int | None
    embedding_length: int | None  # of the vectors that come out
    size_bytes: int  # of all parts
    chat_template: str
    bos_token: str
    eos_token: str
    file_mtime: datetime


def read_metadata(path: Path) -> GGUFMetadata:
    """Return what the GGUF file `path` (of a split model the first part) says; raise GGUFError if it is no use."""
    header = read_part(path)
    refuse_unservable(header.fields)
    paths = _parts(path, header.fields)
    headers = [header, *(read_part(part) for part in paths[1:])]
    _refuse_mixed_parts(paths, headers)
    if not any(part.num_tensors for part in headers):
        raise GGUFError(f"{path} holds no tensors, only metadata or a vocabulary; register the file with the weights.")
    fields, architecture = header.fields, _architecture(header.fields, path)
    tensors = set().union(*(part.tensor_names for part in headers))
    return GGUFMetadata(
        kind=kind_of(architecture, fields, tensors),
        architecture=architecture,
        display_name=(_text(fields, Keys.General.NAME) or path.stem)[:255],
        parameter_count=sum(part.num_parameters for part in headers),
        quantization=_quantization(headers),
        trained_context=_integer(fields, Keys.LLM.CONTEXT_LENGTH.format(arch=architecture)),
        layer_count=_integer(fields, Keys.LLM.BLOCK_COUNT.format(arch=architecture)),
        embedding_length=_embedding_length(fields, architecture),
        size_bytes=sum(part.stat().st_size for part in paths),
        chat_template=_chat_template(fields),
        bos_token=header.tokens[Keys.Tokenizer.BOS_ID],
        eos_token=header.tokens[Keys.Tokenizer.EOS_ID],
        file_mtime=_modified_at(path),
    )


def modified_at(path: Path) -> datetime | None:
    """Return when the file was last changed, None if it cannot be seen."""
    try:
        return _modified_at(path)
    except (OSError, ValueError):
        return None


def _modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.utc)


def read_part(path: Path) -> Header:
    """Return the header of one file, all of whose weights are there."""
    try:
        _refuse_non_file(path)
        refuse_foreign_format(path)
        header, size = read_header(path), path.stat().st_size
    except ValueError as error:  # a NUL character in the path
        raise GGUFError(f"{str(path)!r} is not a path: {error}.") from error
    except OSError as error:
        raise GGUFError(f"{path} cannot be read: {error.strerror}.") from error
    if size < header.expected_size:
        raise GGUFError(
            f"{path} is truncated: its tensors need {header.expected_size:,} bytes but it has {size:,}; "
            "download it again."
        )
    return header


def _refuse_non_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise GGUFError(f"There is no file {path}.") from None
    if stat.S_ISDIR(status.st_mode):
        raise GGUFError(f"{path} is a directory; give the path of a GGUF file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise GGUFError(f"{path} is not a regular file.")
    if status.st_size == 0:
        raise GGUFError(f"{path} is empty (0 bytes); download it again.")


def part_paths(path: Path) -> list[Path]:
    """Return the files that a path stands for by its name: all parts of a split model, or only itself."""
    match = _PART_NAME.fullmatch(path.name)
    if match is None or not 1 < int(match["count"]) <= MAX_PARTS:
        return [path]
    return _named_parts(path, match, int(match["count"]))


def _named_parts(path: Path, match: re.Match, count: int) -> list[Path]:
    return [path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]


def _parts(path: Path, fields: dict[str, Any]) -> list[Path]:
    """Return all parts of a split model in order, or only `path`; raise GGUFError if it is not the first of all."""
    count = _integer(fields, Keys.Split.LLM_KV_SPLIT_COUNT) or 0
    if count < 2:
        return [path]
    match = _PART_NAME.fullmatch(path.name)
    if match is None or int(match["count"]) != count:
        raise GGUFError(
            f"{path} is one of {count} parts of a split model, but its name does not end in -00001-of-{count:05}.gguf."
        )
    parts = _named_parts(path, match, count)
    if path != parts[0]:
        raise GGUFError(f"{path} is a later part of a split model; register the first part, {parts[0]}.")
    if missing := [part.name for part in parts if not part.exists()]:
        names = ", ".join(missing[:MAX_NAMED]) + (f" and {len(missing) - MAX_NAMED} more" * (len(missing) > MAX_NAMED))
        raise GGUFError(f"{path} is split into {count} parts, of which are missing: {names}.")
    return parts


def _refuse_mixed_parts(paths: list[Path], headers: list[Header]) -> None:
    """Raise GGUFError if a part is another one than its name says, or if together they lack tensors."""
    for index, (path, header) in enumerate(zip(paths, headers, strict=True)):
        number = _integer({Keys.Split.LLM_KV_SPLIT_NO: index, **header.fields}, Keys.Split.LLM_KV_SPLIT_NO) or 0
        if number != index:
            raise GGUFError(f"{path} is part {index + 1} of a split model by its name, {number + 1} by its metadata.")
    found = sum(header.num_tensors for header in headers)
    expected = _integer(headers[0].fields, Keys.Split.LLM_KV_SPLIT_TENSORS_COUNT) if len(headers) > 1 else None
    if expected and found != expected:
        raise GGUFError(
            f"{paths[0]} and its other parts hold {found} tensors, where the split model has {expected}; "
            "they are parts of different files: download all of them again."
        )


def _architecture(fields: dict[str, Any], path: Path) -> str:
    architecture = _text(fields, Keys.General.ARCHITECTURE)
    if not re.fullmatch(r"[\w.-]{1,64}", architecture):
        raise GGUFError(f"{path} does not say which architecture it has ({Keys.General.ARCHITECTURE}).")
    return architecture


def _embedding_length(fields: dict[str, Any], architecture: str) -> int | None:
    """Return the size of the last layer's output, which may differ from that of its input."""
    keys = (Keys.LLM.EMBEDDING_LENGTH_OUT, Keys.LLM.EMBEDDING_LENGTH)
    lengths = (_integer(fields, key.format(arch=architecture)) for key in keys)
    return next((length for length in lengths if length), None)


def _quantization(headers: list[Header]) -> str:
    """Return a name like Q4_K_M: what the file says, else the type that most of the weights have."""
    file_type = headers[0].fields.get(Keys.General.FILE_TYPE)
    try:
        name = LlamaFileType(file_type & ~LlamaFileType.GUESSED).name
    except (TypeError, ValueError):
        sizes = sum((header.bytes_by_type for header in headers), start=type(headers[0].bytes_by_type)())
        return sizes.most_common(1)[0][0].name if sizes else ""
    return name.removeprefix("MOSTLY_").removeprefix("ALL_")


def _chat_template(fields: dict[str, Any]) -> str:
    template = _text(fields, Keys.Tokenizer.CHAT_TEMPLATE)
    if len(template.encode()) > MAX_TEMPLATE_BYTES:
        raise GGUFError(
            f"The chat template in the file has {len(template.encode()):,} bytes, more than the "
            f"{MAX_TEMPLATE_BYTES:,} that are allowed."
        )
    return template


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise GGUFError(f"The metadata is broken: {key} is not a text.")
    return value


def _integer(fields: dict[str, Any], key: str) -> int | None:
    """Return the count under `key`; None if there is none or it is 0, as converters write for unknown."""
    value = fields.get(key)
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_INTEGER):
        raise GGUFError(f"The metadata is broken: {key} is {value!r}, expected an integer from 0 to {MAX_INTEGER}.")
    return value or None
