"""Downloading a file so that an interruption costs nothing and a wrong file never gets the final name."""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from registry.download_lock import held
from registry.download_note import Note
from registry.download_progress import DownloadProgress
from registry.download_sources import DownloadError, Source
from registry.fetching import FetchRefused
from registry.formatting import human_bytes
from registry.gguf_header import GGUFError
from registry.gguf_refusals import refuse_foreign_format

CHUNK_BYTES = 2**20
MAX_FRUITLESS_ATTEMPTS = 5
RETRIED_STATUSES = (408, 429, 500, 502, 503, 504)
TIMEOUT = httpx.Timeout(60, connect=15)


class _Retry(Exception):
    """The server or the network failed in a way that may pass."""


def open_client(headers: dict[str, str]) -> httpx.Client:
    """Return the client of somebody who may reach everything: whoever has a shell on this machine."""
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT, headers=headers)


@dataclass(frozen=True)
class Advice:
    """What whoever has begun a download can do when it ends early, as ends of sentences."""

    to_resume: str = "run the same command again to resume"
    to_replace: str = "pass --force to replace it"


class FileDownload:
    """One file on its way to `target`, by way of `target`.partial and a note in `target`.partial.json."""

    def __init__(
        self,
        source: Source,
        target: Path,
        progress: DownloadProgress,
        *,
        open_client: Callable[[dict[str, str]], httpx.Client] = open_client,
        advice: Advice = Advice(),
        sleep: Callable[[float], None] = time.sleep,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.source, self.target, self.progress = source, target, progress
        self.partial, self.note_path = _beside(target, ".partial"), _beside(target, ".partial.json")
        self.open_client, self.advice = open_client, advice
        self.sleep, self.free_bytes = sleep, free_bytes

    def run(self, *, force: bool = False) -> None:
        """Download, check and give the file its name; an existing one that is the same is kept.

        Raises DownloadError. What has arrived stays in the partial file unless it proved to be wrong.
        """
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with held(self.target), self.open_client(self.source.headers) as client:
            if self.target.exists() and not force:
                self._keep_existing(client)
                return
            self._fetch_all(client)
            self._check()
            self._finish()

    @property
    def partial_size(self) -> int:
        """Bytes that have arrived."""
        return partial_size(self.target)

    def _keep_existing(self, client: httpx.Client) -> None:
        """Say that the file is there already; raise DownloadError if it is another one."""
        if difference := self._difference(client):
            raise DownloadError(f"{self.target} exists already and {difference}; {self.advice.to_replace}.")
        self.progress.say(f"{self.target} is there already ({human_bytes(self.target.stat().st_size)}).")

    def _difference(self, client: httpx.Client) -> str:
        """Return what tells the existing file from the source, "" if nothing does."""
        if self.source.sha256:
            return "" if file_sha256(self.target, self.progress.check) == self.source.sha256 else "has another sha256"
        size, expected = self.target.stat().st_size, self.source.size or self._ask_size(client)
        if expected is None:
            return "the server does not say how large its file is"
        return "" if size == expected else f"has {size:,} bytes instead of {expected:,}"

    def _ask_size(self, client: httpx.Client) -> int | None:
        try:
            with client.stream("GET", self.source.url, headers={"Accept-Encoding": "identity"}) as response:
                self._refuse(response)
                return _content_length(response)
        except (httpx.HTTPError, httpx.InvalidURL, _Retry) as error:
            raise DownloadError(f"{self.source.shown} cannot be reached: {error}.") from error
        except FetchRefused as error:
            raise DownloadError(str(error)) from error

    def _fetch_all(self, client: httpx.Client) -> None:
        """Fetch until everything is there; give up after several attempts in a row that brought nothing."""
        fruitless = 0
        while True:
            size_before = self.partial_size
            try:
                return self._fetch(client)
            except (httpx.TransportError, _Retry) as error:
                fruitless = 0 if self.partial_size > size_before else fruitless + 1
                if fruitless == MAX_FRUITLESS_ATTEMPTS:
                    raise DownloadError(f"{self.source.shown}: {error}. {self.how_to_resume()}") from error
                self.progress.say(f"{error}; trying again")
                self.sleep(2**fruitless)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise DownloadError(f"{self.source.shown}: {error}.") from error
            except FetchRefused as error:
                raise DownloadError(str(error)) from error

    def how_to_resume(self) -> str:
        """Return the sentence for somebody whose download was interrupted."""
        if not self.partial_size:
            return "Nothing was kept."
        return f"{human_bytes(self.partial_size)} are kept in {self.partial}; {self.advice.to_resume}."

    def _fetch(self, client: httpx.Client) -> None:
        """Fetch what is missing, appending only to a part of the same version of the file."""
        start, note = self.partial_size, Note.read(self.note_path, self.source)
        headers = {"Accept-Encoding": "identity"}
        if start and note:
            headers |= {"Range": f"bytes={start}-", "If-Range": note.validator}
        with client.stream("GET", self.source.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._settle_unsatisfiable(response, start)
                return
            self._refuse(response)
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                self._receive(response, start, _range_total(response, start))
            else:
                # In this order: bytes of an older version must never stand beside the note of this one.
                self.partial.unlink(missing_ok=True)
                Note.of(self.source, response).write(self.note_path)
                self._receive(response, 0, _content_length(response))

    def _settle_unsatisfiable(self, response: httpx.Response, start: int) -> None:
        """Nothing follows `start`: the part is complete, or it is of another version and no use."""
        if response.headers.get("Content-Range") != f"bytes */{start}":
            self._remove_partial()
            raise _Retry("The server has another version of the file now")

    def _refuse(self, response: httpx.Response) -> None:
        """Raise unless the answer brings the file."""
        status = f"{response.status_code} {response.reason_phrase}"
        if response.status_code in RETRIED_STATUSES:
            raise _Retry(f"The server answered {status}")
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise DownloadError(f"{self.source.shown}: the server answered {status}.")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise DownloadError(
                f"{self.source.url} leads to an HTML page, not to a file; is it the page about the file?"
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{self.source.url}: the server insists on compressing the file.")

    def _receive(self, response: httpx.Response, start: int, total: int | None) -> None:
        """Write the body behind the first `start` bytes of the partial file."""
        self._check_space((total or self.source.size or 0) - start)
        self.progress.start(start, total or self.source.size)
        try:
            with self.partial.open("ab" if start else "wb") as file:
                # Without a chunk size: httpx would lose what it has gathered for a chunk when the connection breaks.
                for chunk in response.iter_raw():
                    file.write(chunk)
                    self.progress.advance(len(chunk))
                file.flush()
                os.fsync(file.fileno())
        finally:
            self.progress.stop()

    def _check_space(self, needed: int) -> None:
        free = self.free_bytes(self.target.parent)
        if needed > free:
            raise DownloadError(
                f"{self.target.parent} has {human_bytes(free)} free, the download needs {human_bytes(needed)}."
            )

    def _check(self) -> None:
        """Raise DownloadError, and remove the partial file, if it is not what was announced."""
        if self.source.size is not None and self.partial_size != self.source.size:
            self._discard(f"expected {self.source.size:,} bytes, found {self.partial_size:,}")
        if self.source.sha256:
            self.progress.say("checking the sha256")
            if (found := file_sha256(self.partial, self.progress.check)) != self.source.sha256:
                self._discard(f"expected the sha256 {self.source.sha256}, found {found}")
        if self.target.suffix.lower() == ".gguf":
            try:
                refuse_foreign_format(self.partial)
            except GGUFError as error:
                self._discard(str(error).rstrip("."))

    def _discard(self, reason: str) -> None:
        self._remove_partial()
        raise DownloadError(f"{self.source.shown} brought the wrong file, which was removed: {reason}.")

    def _finish(self) -> None:
        """Give the file its final name, durably."""
        self.partial.replace(self.target)
        self.note_path.unlink(missing_ok=True)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _remove_partial(self) -> None:
        remove_partial(self.target)


def partial_size(target: Path) -> int:
    """Return the bytes that have arrived of the file that is to become `target`."""
    partial = _beside(target, ".partial")
    return partial.stat().st_size if partial.exists() else 0


def remove_partial(target: Path) -> None:
    """Delete what has arrived of a file."""
    for suffix in (".partial", ".partial.json"):
        _beside(target, suffix).unlink(missing_ok=True)


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(target.name + suffix)


def target_for(output: str, source: Source) -> Path:
    """Return the file to write: `output`, or the source's file name in it if it is a folder."""
    path = Path(os.path.expanduser(output))  # noqa: PTH111 - Path.expanduser() raises if there is no such user
    if not (path.is_dir() or output.endswith("/")):
        return path
    if not source.filename:
        raise DownloadError(f"{source.shown} has no file name; give one in the output path.")
    return path / source.filename


def file_sha256(path: Path, on_chunk: Callable[[], object] = lambda: None) -> str:
    """Return the sha256 of a file as hexadecimal digits; `on_chunk` is called all the time, and may raise."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            on_chunk()
    return digest.hexdigest()


def _content_length(response: httpx.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _range_total(response: httpx.Response, start: int) -> int | None:
    """Return the size of the whole file; raise _Retry if the part does not begin at `start`."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != start:
        raise _Retry(f"The server sent the range {response.headers.get('Content-Range')!r}, asked was {start}-")
    return None if match[2] == "*" else int(match[2])
