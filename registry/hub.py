"""What a repository of the Hugging Face hub has to download."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2  # what huggingface_hub uses
import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
from huggingface_hub.hf_api import RepoFile

from registry.addresses import AddressGuard
from registry.download_sources import DownloadError, first_line
from registry.fetching import MAX_REDIRECTS, Bounds, FetchRefused, GuardedTransport

# Of answers about files; the largest repositories' lists take some hundred KB a page.
BOUNDS = Bounds(max_bytes=16 * 2**20, max_seconds=60.0)
MAX_FILES = 10_000
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
# Q4_K_M, IQ3_XXS, UD-Q2_K_XL, F16, BF16, MXFP4 …, between separators.
_QUANTIZATION = re.compile(
    r"(?<![A-Z0-9])((?:UD-)?I?Q\d+(?:_[A-Z0-9]+)*|BF16|F16|F32|MXFP4(?:_MOE)?|TQ\d_\d)(?![A-Z0-9])"
)
_REPO = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class HubFile:
    """One file: its path in the repository, bytes, and sha256 if it is in large-file storage."""

    path: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class HubModel:
    """A GGUF of a repository, of which a split one has several files. missing: how many of them are not there."""

    repo: str
    revision: str
    files: tuple[HubFile, ...]
    missing: int = 0

    @property
    def name(self) -> str:
        """The path of the first file."""
        return self.files[0].path

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def quantization(self) -> str:
        """What the file's name says of it, such as Q4_K_M; "" if nothing."""
        found = _QUANTIZATION.findall(self.name.upper())
        return found[-1] if found else ""

    @property
    def is_projector(self) -> bool:
        """Whether it is for images or sound, and no model by itself."""
        return "mmproj" in self.name.lower()

    def source(self, file: HubFile) -> str:
        """Return what `resolve_source` takes."""
        return f"hf:{self.repo}@{self.revision}/{file.path}"


def use_guarded_client(guard: AddressGuard) -> None:
    """Let all that huggingface_hub asks in this process go to checked addresses only."""

    def client() -> httpx2.Client:
        return httpx2.Client(
            transport=GuardedTransport(guard, BOUNDS, httpx2),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=30,
        )

    huggingface_hub.set_client_factory(client)


def list_models(repo: str, token: str | None = None) -> list[HubModel]:
    """Return the GGUFs of `repo` (owner/name, perhaps with @revision or as the address of its page), smallest first.

    The revision is settled here, so that all files of a model come from the same one. Raises DownloadError.
    """
    name, revision = _parsed(repo)
    api = huggingface_hub.HfApi(token=token)
    try:
        commit = api.model_info(name, revision=revision, timeout=30).sha or revision or "main"
        files = list(_gguf_files(api, name, commit))
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError, FetchRefused) as error:
        raise DownloadError(f"The hub does not list the files of {name}: {first_line(error)}") from error
    if not files:
        raise DownloadError(f"{name} has no GGUF files; look for a repository whose name ends in -GGUF.")
    return sorted(_models(name, commit, files), key=lambda model: (model.is_projector, model.size))


def _parsed(repo: str) -> tuple[str, str | None]:
    """Split "owner/name@revision", however it was copied."""
    written = repo.strip().removeprefix("hf:").removeprefix(f"{huggingface_hub.constants.ENDPOINT}/").strip("/")
    match = _REPO.fullmatch(re.sub(r"/(tree|blob|resolve)/[^/]+.*$", "", written))
    if match is None:
        raise DownloadError(f"{repo!r} is not allowed, expected owner/name, such as Qwen/Qwen3-4B-GGUF.")
    return match["repo"], match["revision"]


def _gguf_files(api: huggingface_hub.HfApi, repo: str, revision: str) -> Iterator[HubFile]:
    for count, entry in enumerate(api.list_repo_tree(repo, recursive=True, revision=revision)):
        if count >= MAX_FILES:
            raise DownloadError(f"{repo} has more than {MAX_FILES:,} files; give the address of a file instead.")
        if isinstance(entry, RepoFile) and entry.path.lower().endswith(".gguf"):
            yield HubFile(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None)


def _models(repo: str, revision: str, files: list[HubFile]) -> Iterator[HubModel]:
    """Put the parts of split models together."""
    groups: dict[tuple[str, int], list[HubFile]] = {}
    for file in files:
        match = _PART.fullmatch(file.path)
        key = (match["stem"], int(match["count"])) if match else (file.path, 1)
        groups.setdefault(key, []).append(file)
    for (_, count), parts in groups.items():
        parts.sort(key=lambda file: file.path)
        yield HubModel(repo, revision, tuple(parts), count - len(parts))
