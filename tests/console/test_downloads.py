"""The admin's list of downloads."""

import asyncio
import json
from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.test import TestCase

from console.downloads.status import duration, events, progress_text
from llmsite.config import Storage
from registry.download_jobs import Download, State
from registry.download_runner import Running, runner
from registry.job_progress import JobProgress, Stopped
from registry.models import RegisteredModel

LIST = "/admin/registry/download/"
ALLOWED = {
    "queued": {"pause", "cancel"},
    "running": {"pause", "cancel"},
    "paused": {"resume", "cancel"},
    "failed": {"resume", "cancel"},
    "done": set(),
    "cancelled": set(),
}


@pytest.fixture
def folder(tmp_path, settings):
    settings.CONFIG = replace(settings.CONFIG, storage=Storage(model_folders=(str(tmp_path),)))
    return tmp_path


def make_job(state="queued", name="a.gguf", folder="models", **fields):
    values = {"source": f"https://example.com/{name}?token=secret", "parts": [{"source": "x", "name": name}]}
    return Download.objects.create(state=state, target=f"{folder}/{name}", **{**values, **fields})


def act(client, job, action):
    response = client.post(f"{LIST}{job.pk}/{action}/", follow=True)
    job.refresh_from_db()
    return response


def test_a_download_is_shown_with_its_progress_and_nothing_secret(admin_client):
    make_job("paused", done_bytes=2**20, total_bytes=2**22)
    page = admin_client.get(LIST).content.decode()
    assert "25 % of 4.0 MiB" in page
    assert "https://example.com/a.gguf" in page
    assert "secret" not in page
    detail = admin_client.get(f"{LIST}{Download.objects.get().pk}/change/").content.decode()
    assert "https://example.com/a.gguf" in detail
    assert "secret" not in detail


@pytest.mark.parametrize(("state", "allowed"), ALLOWED.items())
def test_only_what_may_be_done_is_offered(admin_client, state, allowed):
    make_job(state)
    page = admin_client.get(LIST).content.decode()
    buttons = {name: page.split(f'data-action="{name}"')[1].split(">")[0] for name in ("pause", "resume", "cancel")}
    assert {name for name, tag in buttons.items() if "hidden" not in tag} == allowed


@pytest.mark.parametrize(("action", "result"), [("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")])
@pytest.mark.parametrize("state", list(ALLOWED))
def test_buttons_do_what_they_say_and_nothing_else(admin_client, folder, state, action, result):
    job = make_job(state, folder=folder)
    page = act(admin_client, job, action).content.decode()
    assert job.state == (result if action in ALLOWED[state] else state)
    assert ("Nothing to do" in page) == (action not in ALLOWED[state])


def test_cancelling_deletes_what_has_arrived(admin_client, folder):
    partial = folder / "a.gguf.partial"
    partial.write_bytes(b"GGUF")
    act(admin_client, make_job("failed", folder=folder), "cancel")
    assert not partial.exists()


def test_a_running_download_is_told(admin_client):
    job = make_job("running")
    running = Running(job, JobProgress(100))
    runner.running[job.pk] = running
    try:
        act(admin_client, job, "pause")
    finally:
        del runner.running[job.pk]
    assert (running.ends_as, job.state) == (State.PAUSED, "running")
    with pytest.raises(Stopped):
        running.progress.check()


def test_one_whose_file_another_has_cannot_be_resumed(admin_client):
    failed = make_job("failed")
    make_job("queued")
    assert "Another download has this file" in act(admin_client, failed, "resume").content.decode()
    assert failed.state == "failed"


def test_what_is_done_can_be_registered_with_one_click(admin_client):
    make_job("done")
    assert "/admin/models/add/file/?path=models%2Fa.gguf" in admin_client.get(LIST).content.decode()
    RegisteredModel.objects.create(name="a", path="models/a.gguf")
    assert "/admin/models/add/file/" not in admin_client.get(LIST).content.decode()


def test_what_is_unfinished_is_cancelled_before_it_is_deleted(admin_client):
    job = make_job("paused")
    assert admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    job = make_job("done", "b.gguf")
    assert admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 302


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(admin_client, django_assert_max_num_queries):
    for number in range(60):
        make_job("done", f"{number}.gguf")
    admin_client.get(LIST)
    with django_assert_max_num_queries(8):
        admin_client.get(LIST)


@pytest.fixture
def staff_client(client, django_user_model):
    def staff_client(*codenames):
        user = django_user_model.objects.create_user(f"staff {codenames}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff_client


def test_a_viewer_sees_no_buttons_and_may_not_use_their_urls(staff_client):
    job = make_job("done")
    client = staff_client("view_download")
    page = client.get(LIST).content.decode()
    assert "a.gguf" in page
    assert "data-action" not in page
    assert [act(client, job, action).status_code for action in ("pause", "resume", "cancel")] == [403] * 3
    assert client.get(f"{LIST}add/").status_code == 403


def test_others_see_nothing(staff_client):
    client = staff_client("view_registeredmodel")
    assert [client.get(f"{LIST}{path}").status_code for path in ("", "live/")] == [403, 403]


def test_actions_are_posted(admin_client):
    assert admin_client.get(f"{LIST}{make_job().pk}/cancel/").status_code == 403


class EventsTests(TestCase):
    """What an open list is told."""

    async def test_the_states_come_at_once_and_when_one_changes(self):
        job = await Download.objects.acreate(source="https://example.com/a.gguf", target="a", state="queued")
        stream = events("en")
        first = json.loads((await anext(stream)).removeprefix(b"data: "))
        assert first[str(job.pk)]["state_text"] == "queued"
        following = asyncio.create_task(anext(stream))
        await Download.objects.aupdate(state="paused")
        await asyncio.sleep(0)
        runner._tell()
        second = json.loads((await following).removeprefix(b"data: "))
        assert (second[str(job.pk)]["state"], second[str(job.pk)]["actions"]) == ("paused", ["resume", "cancel"])

    async def test_a_running_one_is_told_of_as_it_is_now(self):
        job = await Download.objects.acreate(source="https://example.com/a.gguf", target="a", state="running")
        progress = JobProgress(1000)
        progress.start(100, 1000)
        progress.say("checking the sha256")
        runner.running[job.pk] = Running(job, progress)
        try:
            status = json.loads((await anext(events("en"))).removeprefix(b"data: "))[str(job.pk)]
        finally:
            del runner.running[job.pk]
        assert (status["done"], status["text"], status["note"]) == (100, "10 % of 1000 B", "checking the sha256")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((0, None, None), "0 B"),
        ((2**20, None, 2**20), "1.0 MiB, 1.0 MiB/s"),
        ((2**20, 2**22, 2**20), "25 % of 4.0 MiB, 1.0 MiB/s, 3 s left"),
        ((2**22, 2**22, 2**20), "100 % of 4.0 MiB, 1.0 MiB/s"),
    ],
)
def test_progress_is_said_for_people(arguments, shown):
    assert progress_text(*arguments) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3600 * 2 + 300, "2 h 5 min")]
)
def test_times_are_said_for_people(seconds, shown):
    assert duration(seconds) == shown
