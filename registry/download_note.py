"""What is kept beside a partial file, to tell later whether its rest may be appended."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from registry.download_sources import Source


@dataclass(frozen=True)
class Note:
    """Which version of which file the partial one is a part of."""

    url: str
    validator: str | None  # a strong ETag or a Last-Modified date, for If-Range

    @classmethod
    def of(cls, source: Source, response: httpx.Response) -> "Note":
        """Return what `response` says about the version it sends."""
        etag = response.headers.get("ETag", "")
        # If-Range compares strongly: a weak ETag never matches.
        return cls(source.url, etag if etag.startswith('"') else response.headers.get("Last-Modified"))

    @classmethod
    def read(cls, path: Path, source: Source) -> "Note | None":
        """Return the note in `path` if it allows to resume a download of `source`, else None."""
        try:
            note = cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return note if note.url == source.url and note.validator else None

    def write(self, path: Path) -> None:
        """Keep the note in `path`."""
        path.write_text(json.dumps(asdict(self)))
