"""Downloads of the admin, run as the server runs them, from a hub of the tests' own."""

import asyncio
import hashlib
import threading
from contextlib import asynccontextmanager
from dataclasses import replace

import huggingface_hub
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import TransactionTestCase
from huggingface_hub.utils._http import default_client_factory

from llmsite.config import Downloads, Storage
from registry import download_tokens
from registry.addresses import AddressGuard
from registry.download_jobs import Download, State
from registry.download_orders import order_model, order_url
from registry.download_runner import DownloadRunner
from registry.download_sources import DownloadError
from registry.download_work import DownloadWork
from registry.hub import list_models
from tests.file_server import FileServer
from tests.registry.hub_server import HubServer, use_hub

CONTENT = b"GGUF" + bytes(range(256)) * 40


@pytest.mark.usefixtures("world")
class DownloadRunnerTests(TransactionTestCase):
    """Each test orders downloads and lets a runner work until they have come to rest."""

    @pytest.fixture
    def world(self, tmp_path, monkeypatch, settings):
        self.folder = tmp_path / "models"
        downloads = Downloads(allowed_hosts=("127.0.0.1",))
        storage = Storage(model_folders=(str(self.folder),))
        settings.CONFIG = replace(settings.CONFIG, storage=storage, downloads=downloads)
        monkeypatch.setattr("registry.downloads.MAX_FRUITLESS_ATTEMPTS", 1)
        self.settings, self.options = settings, {}
        with FileServer() as self.server:
            use_hub(monkeypatch, self.server.url)
            self.hub = HubServer(self.server)
            yield
        huggingface_hub.set_client_factory(default_client_factory)

    @asynccontextmanager
    async def running(self, **seams):
        runner = DownloadRunner(make_work=lambda *args: DownloadWork(*args, **seams), save_every=0.01)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def settled(self, runner, *states):
        """Wait until no job is in another state than these."""
        while True:
            waiting = asyncio.create_task(runner.change(10))
            await asyncio.sleep(0)
            if not await Download.objects.exclude(state__in=states).aexists():
                waiting.cancel()
                return
            assert await waiting

    async def run_all(self, *states, **seams):
        async with self.running(**seams) as runner:
            await self.settled(runner, *(states or (State.DONE, State.FAILED, State.CANCELLED, State.PAUSED)))

    def url(self, content=CONTENT, path="/m.gguf", **options):
        url, self.file = self.server.add(path, content, **options)
        return url

    async def order(self, url, sha256="", user=None):
        return await sync_to_async(order_url)(url, sha256, user)

    async def order_hub(self, files, user=None):
        self.files = self.hub.add_repo("owner/m-GGUF", files)
        models = await sync_to_async(list_models)("owner/m-GGUF")
        return await sync_to_async(order_model)(models[0], user)

    async def test_a_url_is_downloaded(self):
        job = await self.order(self.url())
        await self.run_all()
        await job.arefresh_from_db()
        assert (job.state, job.done_bytes, job.total_bytes, job.error) == (State.DONE, 10244, 10244, "")
        assert (self.folder / "m.gguf").read_bytes() == CONTENT
        assert [path.name for path in self.folder.iterdir()] == ["m.gguf"]

    async def test_the_files_of_a_split_model_are_one_job(self):
        names = [f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
        job = await self.order_hub({name: CONTENT + name.encode() for name in names})
        assert (job.total_bytes, len(job.parts)) == (2 * (10244 + 21), 2)
        await self.run_all()
        await job.arefresh_from_db()
        assert (job.state, job.done_bytes) == (State.DONE, job.total_bytes)
        folder = self.folder / "owner" / "m-GGUF"
        assert sorted(path.name for path in folder.iterdir()) == names

    async def test_a_url_of_one_part_brings_all(self):
        urls = [self.url(path=f"/m-0000{number}-of-00002.gguf") for number in (1, 2)]
        await self.order(urls[1])
        await self.run_all()
        assert len(list(self.folder.iterdir())) == 2

    async def test_an_interrupted_download_is_resumed(self):
        job = await self.order(self.url())
        self.file.cuts, self.file.statuses = [1000], [0, 503]
        await self.run_all()
        await job.arefresh_from_db()
        assert (job.state, job.done_bytes) == (State.FAILED, 1000)
        assert "are kept in" in job.error
        assert job.error.endswith("resume the download to go on.")
        await sync_to_async(Download.objects.requeue)(State.FAILED)
        await self.run_all()
        assert self.server.header_of_requests("Range")[-1] == "bytes=1000-"
        assert (self.folder / "m.gguf").read_bytes() == CONTENT

    async def test_a_wrong_checksum_removes_the_file(self):
        job = await self.order_hub({"m.gguf": CONTENT})
        self.files["m.gguf"].content = CONTENT[:-1] + b"!"
        await self.run_all()
        await job.arefresh_from_db()
        assert job.state == State.FAILED
        assert "expected the sha256" in job.error
        assert list((self.folder / "owner" / "m-GGUF").iterdir()) == []

    async def test_the_sha256_of_a_url_is_checked(self):
        job = await self.order(self.url(), hashlib.sha256(b"other").hexdigest())
        await self.run_all()
        await job.arefresh_from_db()
        assert "expected the sha256" in job.error

    async def test_a_full_disk_is_noticed_before_anything_is_fetched(self):
        job = await self.order_hub({"m.gguf": CONTENT})
        await self.run_all(free_bytes=lambda folder: 100)
        await job.arefresh_from_db()
        assert "has 100 B free, the download needs 10.0 KiB" in job.error
        assert ("GET", job.parts[0]["name"]) not in [(method, path[-6:]) for method, path, _ in self.server.requests]

    async def test_what_is_too_large_is_refused(self):
        self.settings.CONFIG = replace(
            self.settings.CONFIG, downloads=replace(self.settings.CONFIG.downloads, max_size=1000)
        )
        jobs = [await self.order_hub({"m.gguf": CONTENT}), await self.order(self.url(path="/n.gguf"))]
        await self.run_all()
        for job in jobs:
            await job.arefresh_from_db()
            assert "has 10.0 KiB, at most 1000 B are allowed" in job.error

    async def test_private_addresses_are_refused(self):
        job = await self.order(self.url())
        await self.run_all(guard=AddressGuard())
        await job.arefresh_from_db()
        assert "127.0.0.1 is not allowed" in job.error
        assert self.server.requests == []

    async def test_a_page_is_refused_before_it_is_fetched(self):
        job = await self.order(self.url(content_type="text/html"))
        await self.run_all()
        await job.arefresh_from_db()
        assert "says that it is text/html" in job.error

    async def test_the_token_of_who_began_it_opens_a_gated_repository_and_is_nowhere_else(self):
        user = await sync_to_async(get_user_model().objects.create_user)("anna")
        job = await self.order_hub({"m.gguf": CONTENT}, user)
        self.files["m.gguf"].token = "hf_secret"
        await self.run_all()
        await job.arefresh_from_db()
        assert job.state == State.FAILED
        assert "The hub does not give m.gguf" in job.error
        download_tokens.remember(user, "hf_secret")
        await sync_to_async(Download.objects.requeue)(State.FAILED)
        with self.assertLogs("registry.download_runner", "INFO") as logs:
            await self.run_all()
        await job.arefresh_from_db()
        assert job.state == State.DONE, job.error
        stored = await Download.objects.values().aget()
        assert "hf_secret" not in str(stored) + str(logs.output)
        download_tokens.forget(user)

    async def test_one_that_fails_does_not_keep_others_from_coming(self):
        await self.order(f"{self.server.url}/none.gguf")
        await self.order(self.url())
        self.settings.CONFIG = replace(
            self.settings.CONFIG, downloads=replace(self.settings.CONFIG.downloads, at_once=1)
        )
        await self.run_all()
        states = [job.state async for job in Download.objects.order_by("pk")]
        assert states == [State.FAILED, State.DONE]

    async def test_an_error_that_nobody_expects_does_not_either(self):
        await self.order(self.url())
        with self.assertLogs("registry.download_runner", "ERROR"):
            await self.run_all(free_bytes=lambda folder: 1 / 0)
        assert (await Download.objects.aget()).error.startswith("An unexpected error")

    def stalled(self):
        """A file whose second half comes when `release` is set; `begun` is set before."""
        self.begun, self.release = threading.Event(), threading.Event()

        def stall():
            self.begun.set()
            self.release.wait(10)

        return self.url(pause=(1000, stall))

    async def some_arrived(self, runner, job):
        assert await asyncio.to_thread(self.begun.wait, 10)
        while not runner.running[job.pk].progress.done:  # of which its thread tells nobody
            await runner.change(0.001)

    async def test_a_download_is_paused_and_resumed(self):
        job = await self.order(self.stalled())
        async with self.running() as runner:
            await self.some_arrived(runner, job)
            assert runner.stop(job.pk, State.PAUSED)
            self.release.set()
            await self.settled(runner, State.PAUSED)
            await sync_to_async(Download.objects.requeue)(State.PAUSED)
            self.file.pause = None
            runner.wake()
            await self.settled(runner, State.DONE)
        assert (self.folder / "m.gguf").read_bytes() == CONTENT
        assert self.server.header_of_requests("Range")[1] is not None

    async def test_a_cancelled_download_leaves_nothing(self):
        job = await self.order(self.stalled())
        async with self.running() as runner:
            assert await asyncio.to_thread(self.begun.wait, 10)
            runner.stop(job.pk, State.CANCELLED)
            self.release.set()
            await self.settled(runner, State.CANCELLED)
        assert list(self.folder.iterdir()) == []

    async def test_what_ran_when_the_server_stopped_goes_on_after_the_next_start(self):
        await self.order(self.stalled())
        async with self.running():
            assert await asyncio.to_thread(self.begun.wait, 10)
            asyncio.get_running_loop().call_later(0.05, self.release.set)
        assert (await Download.objects.aget()).state == State.QUEUED
        await self.run_all()
        assert (self.folder / "m.gguf").read_bytes() == CONTENT

    async def test_what_ran_when_the_server_was_killed_goes_on_after_the_next_start(self):
        await self.order(self.url())
        await sync_to_async(Download.objects.claim)()
        await self.run_all()
        assert (await Download.objects.aget()).state == State.DONE

    async def test_progress_is_shown_while_it_runs(self):
        job = await self.order(self.stalled())
        async with self.running() as runner:
            await self.some_arrived(runner, job)
            assert (runner.running[job.pk].progress.done, runner.running[job.pk].progress.total) == (1000, 10244)
            self.release.set()
            await self.settled(runner, State.DONE)

    async def test_no_more_run_at_once_than_allowed(self):
        await self.order(self.stalled())
        for name in ("b", "c"):
            await self.order(self.url(path=f"/{name}.gguf"))
        self.settings.CONFIG = replace(
            self.settings.CONFIG, downloads=replace(self.settings.CONFIG.downloads, at_once=1)
        )
        async with self.running() as runner:
            assert await asyncio.to_thread(self.begun.wait, 10)
            assert await Download.objects.filter(state=State.QUEUED).acount() == 2
            self.release.set()
            await self.settled(runner, State.DONE)

    async def test_a_file_is_ordered_once_at_a_time(self):
        url = self.url()
        await self.order(url)
        with pytest.raises(DownloadError, match="is being downloaded already"):
            await self.order(url)
        await self.run_all()
        await self.order(url)
        await self.run_all()
        assert {job.state async for job in Download.objects.all()} == {State.DONE}


@pytest.mark.parametrize(
    ("url", "sha256", "reason"),
    [
        ("ftp://a/b.gguf", "", "expected https://"),
        ("hf:owner/repo/a.gguf", "", "expected https://"),
        ("https://user:pw@example.com/a.gguf", "", "a name and a password"),
        ("https://example.com/", "", "must end with the name of a .gguf file"),
        ("https://example.com/a.bin", "", "must end with the name of a .gguf file"),
        ("https://example.com/..%2F..%2F.gguf", "", "must end with the name of a .gguf file"),
        ("https://example.com/a.gguf", "abc", "expected 64 hexadecimal digits"),
        ("https://example.com/a-00001-of-00002.gguf", "a" * 64, "A sha256 is of one file"),
        ("https://example.com/a-00001-of-99999.gguf", "", "from 1 to 1000 parts"),
    ],
)
def test_orders_that_make_no_sense_are_refused(db, url, sha256, reason):
    with pytest.raises(DownloadError, match=reason):
        order_url(url, sha256, None)
    assert not Download.objects.exists()


def test_without_folders_nothing_is_downloaded(db, settings):
    settings.CONFIG = replace(settings.CONFIG, storage=Storage(model_folders=()))
    with pytest.raises(DownloadError, match=r"name one in storage\.model_folders"):
        order_url("https://example.com/a.gguf", "", None)


def test_what_is_secret_in_a_url_is_not_shown(db):
    job = order_url("https://example.com/a.gguf?token=secret", "", None)
    assert (str(job), job.source) == ("https://example.com/a.gguf", "https://example.com/a.gguf?token=secret")
