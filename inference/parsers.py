"""How request bodies are read: always as JSON, whatever the headers say."""

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class AnyTypeJSONParser(BaseParser):
    """Reads a JSON object also when the client forgot `Content-Type`, as `curl -d` does."""

    media_type = "*/*"

    def parse(self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping | None = None) -> dict:
        body = _read_bounded(stream)
        try:
            data = json.loads(body.decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError:
            raise ParseError("The request body is not valid UTF-8.") from None
        except RecursionError:
            raise ParseError("The request body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The request body is not valid JSON: {error}.") from None
        if SURROGATE.search(body):
            _refuse_lone_surrogates(data)
        if not isinstance(data, dict):
            raise ParseError(f"The request body must be a JSON object, not {_json_type(data)}.")
        return data


class IgnoreAccept(BaseContentNegotiation):
    """Every endpoint has one format. Clients send `Accept: application/json` even when they ask for a stream."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def _read_bounded(stream: BinaryIO) -> bytes:
    """Read a body up to Django's limit, which REST framework leaves to the parser. Raises RequestDataTooBig."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise RequestDataTooBig(f"The request body is larger than {limit} bytes (limits.body_size).")
    return body


def _refuse_lone_surrogates(data: Any) -> None:
    """Refuse text that no encoding can carry: JSON can spell half of a surrogate pair, UTF-8 cannot."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ParseError(f"The request body has a lone surrogate, \\u{ord(error.object[error.start]):x}.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _json_type(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
