import hashlib
import json

import pytest

from registry.download_progress import LineProgress
from registry.download_sources import DownloadError, Source, resolve_source
from registry.downloads import MAX_FRUITLESS_ATTEMPTS, FileDownload, target_for

CONTENT = b"GGUF" + bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.gguf"


@pytest.fixture
def sleeps():
    return []


@pytest.fixture
def lines():
    return []


@pytest.fixture
def download(target, sleeps, lines):
    """A function that downloads a source to `target` without really sleeping."""

    def download(source, force=False, **seams):
        source = source if isinstance(source, Source) else resolve_source(source)
        FileDownload(source, target, LineProgress(lines.append), sleep=sleeps.append, **seams).run(force=force)

    return download


@pytest.fixture
def interrupted(target, file_server, download):
    """A file of which 1000 bytes have arrived before the server went away; its URL and the ServedFile."""

    def interrupted(**options):
        url, file = file_server.add("/model.gguf", CONTENT, **options)
        file.cuts, file.statuses = [1000], [0] + [503] * (MAX_FRUITLESS_ATTEMPTS)
        with pytest.raises(DownloadError, match="run the same command again to resume"):
            download(url)
        assert partial(target).stat().st_size == 1000
        file_server.requests.clear()
        return url, file

    return interrupted


def partial(target):
    return target.with_name("model.gguf.partial")


def leftovers(target):
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_file_is_downloaded(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT)
    download(Source(url, "model.gguf", len(CONTENT), SHA256))
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == []


def test_redirects_are_followed(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT)
    file_server.redirects["/latest"] = (url, {})
    download(f"{file_server.url}/latest")
    assert target.read_bytes() == CONTENT


def test_a_file_of_unknown_size_is_downloaded(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT, has_length=False)
    download(url)
    assert target.read_bytes() == CONTENT


def test_a_broken_connection_is_resumed(file_server, download, target, sleeps):
    url, _ = file_server.add("/model.gguf", CONTENT, cuts=[1000, 500])
    download(url)
    assert target.read_bytes() == CONTENT
    assert file_server.header_of_requests("Range") == [None, "bytes=1000-", "bytes=1500-"]
    assert file_server.header_of_requests("If-Range") == [None, '"v1"', '"v1"']
    assert sleeps == [1, 1]


def test_a_later_run_resumes(file_server, download, target, interrupted):
    url, _ = interrupted()
    download(Source(url, "model.gguf", sha256=SHA256))
    assert target.read_bytes() == CONTENT
    assert file_server.header_of_requests("Range") == ["bytes=1000-"]


def test_a_date_allows_to_resume_too(file_server, download, interrupted, target):
    url, _ = interrupted(etag='W/"weak"', last_modified="Sun, 01 Nov 2026 10:00:00 GMT")
    download(url)
    assert file_server.header_of_requests("If-Range") == ["Sun, 01 Nov 2026 10:00:00 GMT"]
    assert target.read_bytes() == CONTENT


def test_a_changed_file_is_downloaded_from_the_start(download, target, interrupted):
    url, file = interrupted()
    file.content, file.etag = b"GGUF, but new", '"v2"'
    download(url)
    assert target.read_bytes() == b"GGUF, but new"


def test_without_a_validator_it_starts_again(file_server, download, target, interrupted):
    url, _ = interrupted(etag=None)
    download(url)
    assert file_server.header_of_requests("Range") == [None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("note", ["", "[]", '{"url": 1}', json.dumps({"url": "http://other", "validator": '"v1"'})])
def test_without_a_fitting_note_it_starts_again(file_server, download, target, interrupted, note):
    url, _ = interrupted()
    partial(target).with_name("model.gguf.partial.json").write_text(note)
    download(url)
    assert file_server.header_of_requests("Range") == [None]
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_everything_again(download, target, interrupted):
    url, _ = interrupted(has_ranges=False)
    download(url)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_complete_is_only_named(download, target, interrupted):
    url, _ = interrupted()
    partial(target).write_bytes(CONTENT)
    download(url)
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == []


def test_a_part_that_is_too_long_is_thrown_away(download, target, interrupted):
    url, _ = interrupted()
    partial(target).write_bytes(CONTENT + b"more")
    download(url)
    assert target.read_bytes() == CONTENT


def test_a_range_that_was_not_asked_for_is_not_appended(download, target, interrupted):
    url, _ = interrupted(content_range="bytes 5-9/10")
    with pytest.raises(DownloadError, match="The server sent the range 'bytes 5-9/10', asked was 1000-"):
        download(url)
    assert partial(target).stat().st_size == 1000


def test_a_range_of_unknown_total_is_appended(download, target, interrupted):
    url, _ = interrupted(content_range="bytes 1000-99999/*")
    download(url)
    assert target.read_bytes() == CONTENT


def test_it_waits_longer_and_longer_and_gives_up(file_server, download, sleeps):
    url, _ = file_server.add("/model.gguf", CONTENT, statuses=[503] * MAX_FRUITLESS_ATTEMPTS)
    with pytest.raises(DownloadError, match=r"The server answered 503 Service Unavailable\. Nothing was kept\."):
        download(url)
    assert sleeps == [2, 4, 8, 16]


def test_a_server_that_is_not_there_is_an_error(download, target):
    with pytest.raises(DownloadError, match=r"http://127\.0\.0\.1:1/model\.gguf: .*refused"):
        download("http://127.0.0.1:1/model.gguf")
    assert not target.exists()


def test_an_endless_redirect_is_an_error(file_server, download):
    file_server.redirects["/a"] = ("/a", {})
    with pytest.raises(DownloadError, match="redirects"):
        download(f"{file_server.url}/a")


def test_a_missing_file_is_an_error_at_once(file_server, download, sleeps):
    with pytest.raises(DownloadError, match="the server answered 404 Not Found"):
        download(f"{file_server.url}/none.gguf")
    assert sleeps == []


def test_an_html_page_is_an_error(file_server, download, target):
    url, _ = file_server.add("/model.gguf", b"<html>", content_type="text/html; charset=utf-8")
    with pytest.raises(DownloadError, match="leads to an HTML page"):
        download(url)
    assert leftovers(target) == []


def test_a_page_of_another_type_is_found_out_too(file_server, download, target):
    url, _ = file_server.add("/model.gguf", b"<!DOCTYPE html>")
    with pytest.raises(DownloadError, match=r"the wrong file, which was removed: .* looks like an HTML page"):
        download(url)
    assert leftovers(target) == []


def test_a_compressed_answer_is_an_error(file_server, download):
    url, _ = file_server.add("/model.gguf", CONTENT, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match="insists on compressing"):
        download(url)


def test_a_wrong_sha256_removes_what_arrived(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT)
    with pytest.raises(DownloadError, match=f"expected the sha256 {'0' * 64}, found {SHA256}"):
        download(Source(url, "model.gguf", sha256="0" * 64))
    assert leftovers(target) == []
    assert not target.exists()


def test_a_wrong_size_removes_what_arrived(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT)
    with pytest.raises(DownloadError, match="expected 5 bytes, found 10,244"):
        download(Source(url, "model.gguf", size=5))
    assert leftovers(target) == []


def test_the_space_is_checked_first(file_server, download, target):
    url, _ = file_server.add("/model.gguf", CONTENT)
    with pytest.raises(DownloadError, match=r"has 100 B free, the download needs 10\.0 KiB"):
        download(url, free_bytes=lambda folder: 100)
    assert not partial(target).exists()


def test_an_interruption_keeps_what_arrived(file_server, target):
    class Impatient(LineProgress):
        def advance(self, num_bytes):
            raise KeyboardInterrupt

    url, _ = file_server.add("/model.gguf", CONTENT)
    download = FileDownload(resolve_source(url), target, Impatient(lambda line: None))
    with pytest.raises(KeyboardInterrupt):
        download.run()
    assert partial(target).read_bytes() == CONTENT
    assert download.how_to_resume().startswith("10.0 KiB are kept in ")


class TestAnExistingFile:
    @pytest.fixture(autouse=True)
    def existing(self, target):
        target.parent.mkdir()
        target.write_bytes(CONTENT)

    def test_it_is_kept_if_the_sha256_is_the_same(self, download, lines):
        download(Source("http://127.0.0.1:1/never-asked", "model.gguf", sha256=SHA256))
        assert "is there already (10.0 KiB)" in lines[0]

    def test_it_is_kept_if_the_size_is_the_same(self, file_server, download, lines):
        url, _ = file_server.add("/model.gguf", CONTENT)
        download(url)
        assert "is there already" in lines[0]

    @pytest.mark.parametrize(
        ("content", "options", "sha256", "reason"),
        [
            (b"GGUF!", {}, None, "has 10,244 bytes instead of 5"),
            (CONTENT, {}, "0" * 64, "has another sha256"),
            (CONTENT, {"has_length": False}, None, "the server does not say how large its file is"),
        ],
    )
    def test_another_file_is_not_replaced(self, file_server, download, target, content, options, sha256, reason):
        url, _ = file_server.add("/model.gguf", content, **options)
        with pytest.raises(DownloadError, match=f"exists already and {reason}; pass --force to replace it"):
            download(resolve_source(url, sha256))
        assert target.read_bytes() == CONTENT

    def test_force_replaces_it(self, file_server, download, target):
        url, _ = file_server.add("/model.gguf", b"GGUF!")
        download(url, force=True)
        assert target.read_bytes() == b"GGUF!"

    def test_a_server_that_fails_is_an_error(self, file_server, download):
        url, _ = file_server.add("/model.gguf", CONTENT, statuses=[503])
        with pytest.raises(DownloadError, match="cannot be reached: The server answered 503"):
            download(url)


def test_a_folder_gets_the_name_of_the_source(tmp_path):
    source = resolve_source("https://example.com/a/Model%20Q8.gguf?download=true")
    assert target_for(str(tmp_path), source) == tmp_path / "Model Q8.gguf"
    assert target_for(f"{tmp_path}/new/", source) == tmp_path / "new" / "Model Q8.gguf"
    assert target_for(f"{tmp_path}/x.gguf", source) == tmp_path / "x.gguf"


def test_a_folder_needs_a_source_with_a_name(tmp_path):
    with pytest.raises(DownloadError, match="has no file name"):
        target_for(str(tmp_path), resolve_source("https://example.com/"))
