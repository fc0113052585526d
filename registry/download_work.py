"""What a download of the admin does in its thread."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
from django.conf import settings

from registry.addresses import AddressGuard
from registry.download_jobs import Download
from registry.download_sources import DownloadError, Source, resolve_source
from registry.downloads import Advice, FileDownload, partial_size, remove_partial
from registry.fetching import Bounds, guarded_client
from registry.formatting import human_bytes
from registry.hub import use_guarded_client
from registry.job_progress import JobProgress
from registry.model_folders import refuse_outside_download

ADVICE = Advice("resume the download to go on", "remove that file first")
MIN_SPEED = 1024  # bytes a second; what is slower keeps others waiting and never ends
# What servers say of a GGUF file; pages to log in and error messages are text/html and application/json.
TYPES = (
    "application/octet-stream",
    "application/x-*",
    "application/*gguf*",
    "application/binary",
    "binary/*",
    "text/plain",
)


def address_guard() -> AddressGuard:
    """Return what the configuration lets the admin's downloads reach."""
    downloads = settings.CONFIG.downloads
    return AddressGuard(downloads.allowed_hosts, downloads.allow_private)


class DownloadWork:
    """Fetches all files of a job. Raises DownloadError, Stopped or OSError; what has arrived stays for the next time.

    token: for the hub; None: the one of the environment.
    """

    def __init__(
        self,
        job: Download,
        progress: JobProgress,
        token: str | None = None,
        guard: AddressGuard | None = None,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.job, self.progress, self.token = job, progress, token
        self.guard = guard or address_guard()
        self.free_bytes = free_bytes

    def run(self) -> None:
        """Do it."""
        use_guarded_client(self.guard)
        targets = self.job.targets
        for target in targets:
            refuse_outside_download(target)
        targets[0].parent.mkdir(parents=True, exist_ok=True)
        self._check_space(targets)
        before = 0
        for part, target in zip(self.job.parts, targets, strict=True):
            self.progress.begin_file(before, partial_size(target))
            self._fetch(part, target)
            before += target.stat().st_size
        self.progress.done = self.progress.total = before

    def _fetch(self, part: dict, target: Path) -> None:
        source = self._source(part)
        download = FileDownload(
            source,
            target,
            self.progress,
            open_client=self._client,
            advice=ADVICE,
            sleep=self.progress.wait,
            free_bytes=self.free_bytes,
        )
        download.run()

    def _source(self, part: dict) -> Source:
        """Ask the hub about a file; what a single file's size is becomes the job's."""
        source = resolve_source(part["source"], part.get("sha256"), self.token)
        if source.size and source.size > settings.CONFIG.downloads.max_size:
            allowed = human_bytes(settings.CONFIG.downloads.max_size)
            raise DownloadError(f"{source.shown} has {human_bytes(source.size)}, at most {allowed} are allowed.")
        return source

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        bounds = Bounds(settings.CONFIG.downloads.max_size, min_speed=MIN_SPEED, types=TYPES)
        return guarded_client(self.guard, bounds, headers=headers)

    def _check_space(self, targets: list[Path]) -> None:
        """Refuse a job for all of whose files there is no room, before the first one is begun."""
        if self.job.known_size is None:
            return
        there = sum(target.stat().st_size if target.exists() else partial_size(target) for target in targets)
        needed, free = self.job.known_size - there, self.free_bytes(targets[0].parent)
        if needed > free:
            raise DownloadError(
                f"{targets[0].parent} has {human_bytes(free)} free, the download needs {human_bytes(needed)}."
            )


def discard(job: Download) -> None:
    """Delete what has arrived of files that are not complete."""
    for target in job.targets:
        remove_partial(target)
