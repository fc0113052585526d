import hashlib

import pytest
from huggingface_hub import constants

from registry.download_progress import LineProgress
from registry.download_sources import DownloadError, resolve_source
from registry.downloads import FileDownload
from tests.file_server import FileServer

CONTENT = b"GGUF of the hub"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = "/owner/repo/resolve/main/sub/model.gguf"


def use_hub(monkeypatch, url):
    """What the environment variable HF_ENDPOINT does when huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


@pytest.fixture
def storage():
    """Where the hub keeps large files: another server."""
    with FileServer() as server:
        server.add("/abc", CONTENT, etag='"storage"')
        yield server


@pytest.fixture
def hub(file_server, storage, monkeypatch):
    """A hub that answers, as the real one does, with a redirect to its storage."""
    use_hub(monkeypatch, file_server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    file_server.redirects[FILE] = (f"{storage.url}/abc", headers())
    return file_server


def headers():
    return {"X-Repo-Commit": "c0ffee", "X-Linked-Size": str(len(CONTENT)), "X-Linked-ETag": f'"{SHA256}"'}


@pytest.mark.parametrize("url", ["hf:owner/repo/sub/model.gguf", "{}" + FILE, "{}" + FILE.replace("resolve", "blob")])
def test_the_hub_tells_size_and_sha256(hub, url):
    source = resolve_source(url.format(hub.url))
    assert (source.url, source.filename) == (hub.url + FILE, "model.gguf")
    assert (source.size, source.sha256) == (len(CONTENT), SHA256)


def test_a_file_of_the_hub_is_downloaded(hub, tmp_path):
    download = FileDownload(resolve_source("hf:owner/repo/sub/model.gguf"), tmp_path / "m.gguf", LineProgress(list))
    download.run()
    assert (tmp_path / "m.gguf").read_bytes() == CONTENT


def test_the_token_goes_to_the_hub_only_and_is_not_shown(hub, storage, tmp_path):
    source = resolve_source("hf:owner/repo/sub/model.gguf")
    FileDownload(source, tmp_path / "m.gguf", LineProgress(list)).run()
    assert hub.header_of_requests("authorization") == ["Bearer hf_secret"]
    assert storage.header_of_requests("authorization") == [None]
    assert "hf_secret" not in repr(source)


def test_a_revision_can_be_named(hub):
    hub.redirects["/owner/repo/resolve/v1/model.gguf"] = hub.redirects[FILE]
    assert resolve_source("hf:owner/repo@v1/model.gguf").url.endswith("/resolve/v1/model.gguf")


def test_a_sha256_of_the_caller_goes_before_that_of_the_hub(hub):
    assert resolve_source("hf:owner/repo/sub/model.gguf", "A" * 64).sha256 == "a" * 64


def test_a_small_file_has_no_sha256(hub):
    hub.add("/owner/repo/resolve/main/small.gguf", CONTENT, etag='"0123456789"', headers={"X-Repo-Commit": "c0ffee"})
    source = resolve_source("hf:owner/repo/small.gguf")
    assert (source.size, source.sha256) == (len(CONTENT), None)


@pytest.mark.parametrize("name", ["hf:owner/repo/none.gguf", "hf:own er/repo/x.gguf"])
def test_what_the_hub_does_not_have_is_an_error(hub, name):
    with pytest.raises(DownloadError, match="The hub does not give"):
        resolve_source(name)


def test_a_hub_that_is_not_there_is_an_error(monkeypatch):
    use_hub(monkeypatch, "http://127.0.0.1:1")
    with pytest.raises(DownloadError, match=r"The hub does not give model\.gguf of owner/repo: .*refused"):
        resolve_source("hf:owner/repo/model.gguf")


@pytest.mark.parametrize("url", ["ftp://example.com/a.gguf", "models/a.gguf", "hf:model.gguf", "https:///a.gguf", ""])
def test_other_addresses_are_refused(url):
    with pytest.raises(DownloadError, match=r"is not allowed, expected https://…, http://… or hf:owner/repo"):
        resolve_source(url)


def test_a_sha256_has_64_digits():
    with pytest.raises(DownloadError, match="'abc' is not allowed, expected 64 hexadecimal digits"):
        resolve_source("https://example.com/a.gguf", "abc")
