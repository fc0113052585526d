"""What somebody asks to download, checked before it becomes a job."""

import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import IntegrityError, transaction

from registry.download_jobs import Download
from registry.download_sources import DownloadError, checked_sha256, without_secrets
from registry.downloads import partial_size
from registry.hub import HubModel
from registry.model_folders import download_folder, refuse_outside_download
from registry.registration import portable_path

_PART = re.compile(r"-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}\.gguf", re.IGNORECASE)
MAX_PARTS = 1000


def order_url(url: str, sha256: str, user: Any) -> Download:
    """Queue the file under a URL, of a split model all parts. Raises DownloadError, naming what is wrong."""
    url, sha256 = url.strip(), checked_sha256(sha256.strip()) or ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(f"{without_secrets(url)!r} is not allowed, expected https://… or http://….")
    if "@" in parts.netloc:
        raise DownloadError("A URL with a name and a password is not allowed, since it would be stored in the clear.")
    urls = _all_parts(url)
    if sha256 and len(urls) > 1:
        raise DownloadError(f"A sha256 is of one file, but this model is split into {len(urls)}; leave it empty.")
    files = [{"source": each, "name": _name(urlsplit(each).path), "sha256": sha256 or None} for each in urls]
    return _queue(url, files, download_folder(), user)


def order_model(model: HubModel, user: Any) -> Download:
    """Queue a model of the hub. Raises DownloadError."""
    if model.missing:
        raise DownloadError(f"{model.repo} lacks {model.missing} parts of {model.name}; choose another file.")
    files = [
        {"source": model.source(file), "name": _name(file.path), "size": file.size, "sha256": file.sha256}
        for file in model.files
    ]
    owner, _, repo = model.repo.partition("/")
    return _queue(model.source(model.files[0]), files, download_folder() / owner / repo, user)


def _queue(source: str, files: list[dict[str, Any]], folder: Path, user: Any) -> Download:
    target = folder / files[0]["name"]
    refuse_outside_download(target)
    job = Download(source=source, parts=files, target=portable_path(target), started_by=user)
    job.total_bytes, job.done_bytes = job.known_size, sum(partial_size(each) for each in job.targets)
    try:
        with transaction.atomic():
            job.save()
    except IntegrityError:
        raise DownloadError(f"{job.target} is being downloaded already; see the list of downloads.") from None
    return job


def _all_parts(url: str) -> list[str]:
    """Return the URLs of all parts, whichever of them was given."""
    path = urlsplit(url).path
    match = _PART.search(path)
    if match is None or match.end() != len(path):
        return [url]
    count = int(match["count"])
    if not 1 <= count <= MAX_PARTS:
        raise DownloadError(f"{without_secrets(url)!r} is not allowed: a model has from 1 to {MAX_PARTS} parts.")
    stem = path[: match.start()]
    paths = [f"{stem}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    return [urlsplit(url)._replace(path=each).geturl() for each in paths]


def _name(path: str) -> str:
    """Return the name under which a file is kept; raise DownloadError if it is none of a GGUF."""
    name = PurePosixPath(unquote(path)).name
    if not _FILE_NAME.fullmatch(name) or name.startswith("."):
        raise DownloadError(f"{name!r} is not allowed: the URL must end with the name of a .gguf file.")
    return name
