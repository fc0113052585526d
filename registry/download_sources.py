"""Where a model comes from: a plain URL, or a file on the Hugging Face hub with the size and hash the hub knows."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
from huggingface_hub.utils import build_hf_headers

from registry.fetching import FetchRefused

_HUB_SHORT = re.compile(r"hf:(?P<repo>[^/]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<file>.+)")
# What people copy from the browser; "blob" is the page about the file, "resolve" the file.
_HUB_PATH = re.compile(r"/(?P<repo>[^/]+/[^/]+)/(resolve|blob)/(?P<revision>[^/]+)/(?P<file>.+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DownloadError(Exception):
    """A download that did not succeed; the message says what to do about it."""


@dataclass(frozen=True)
class Source:
    """One file to download; `size` (bytes) and `sha256` are None when nobody told them."""

    url: str
    filename: str
    size: int | None = None
    sha256: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)  # may hold a token

    @property
    def shown(self) -> str:
        """The URL for messages."""
        return without_secrets(self.url)


def without_secrets(url: str) -> str:
    """Return a URL without name, password, query and fragment: signed addresses and tokens are not for everybody."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def resolve_source(model_url: str, sha256: str | None = None, token: str | None = None) -> Source:
    """Return where `model_url` (http, https, or hf:owner/repo[@revision]/file) leads; raise DownloadError if nowhere.

    A `sha256` from the caller goes before the one the hub tells. token: for the hub; None: the one of the environment.
    """
    sha256 = checked_sha256(sha256)
    match = _HUB_SHORT.fullmatch(model_url) or _hub_page(model_url)
    if match:
        return _hub_source(match["repo"], match["revision"], unquote(match["file"]), sha256, token)
    parts = urlsplit(model_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(
            f"{without_secrets(model_url)!r} is not allowed, expected https://…, http://… or hf:owner/repo/file.gguf."
        )
    return Source(model_url, _filename(unquote(parts.path)), sha256=sha256)


def checked_sha256(sha256: str | None) -> str | None:
    """Return a sha256 in lower case, None if there is none; raise DownloadError if it is no sha256."""
    if sha256 and not _SHA256.fullmatch(sha256.lower()):
        raise DownloadError(f"The sha256 {sha256!r} is not allowed, expected 64 hexadecimal digits.")
    return sha256.lower() if sha256 else None


def _hub_page(url: str) -> re.Match | None:
    is_hub = url.startswith(f"{constants.ENDPOINT}/")
    return _HUB_PATH.fullmatch(urlsplit(url).path) if is_hub else None


def _hub_source(repo: str, revision: str | None, file: str, sha256: str | None, token: str | None) -> Source:
    """Ask the hub about the file; of one in large-file storage the ETag is its sha256."""
    try:
        url = hf_hub_url(repo, file, revision=revision)
        metadata = get_hf_file_metadata(url, token=token)
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError, FetchRefused) as error:
        raise DownloadError(f"The hub does not give {file} of {repo}: {first_line(error)}") from error
    etag = metadata.etag if metadata.etag and _SHA256.fullmatch(metadata.etag) else None
    return Source(url, _filename(file), metadata.size, sha256 or etag, build_hf_headers(token=token))


def first_line(error: Exception) -> str:
    """Return what an error of huggingface_hub says first; most of them go on for long."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _filename(path: str) -> str:
    return PurePosixPath(path).name
