"""Where responses are kept: conversations, expiry, the admin."""

import asyncio
import sqlite3
from datetime import datetime, timedelta, timezone

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError
from django.test import TestCase, override_settings

from inference.exceptions import InvalidRequest, ResponseNotFound
from inference.models import StoredResponse
from inference.responses import store as store_module
from inference.responses.conversion import conversation
from inference.responses.items import complete, item_id, new_response_id
from inference.responses.store import ResponseStore
from tests import live_server

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
COLUMNS = "id, model, created_at, expires_at, previous_response_id, input_items, body, key_id"
ADMIN = "/admin/inference/storedresponse/"


def body(response_id: str, previous: str | None = None) -> dict:
    answer = {"id": item_id("message", response_id, "0"), "type": "message", "role": "assistant", "content": "Yes."}
    return {"id": response_id, "model": "demo", "previous_response_id": previous, "output": [answer]}


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, days: float) -> None:
        self.now += timedelta(days=days)


class StoreTest(TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = ResponseStore(self.clock)
        self.store._purge_sometimes = lambda: None  # its thread would not see this test's transaction

    async def save(self, previous: str | None = None) -> str:
        response_id = new_response_id()
        chain = [stored.pk for stored in await self.store.chain(previous)] if previous else []
        items = complete([{"type": "message", "role": "user", "content": "Hi"}], response_id)
        assert await self.store.save(body(response_id, previous), items, chain)
        return response_id

    def test_a_chain_is_read_in_one_query_and_in_order(self):
        save, find = async_to_sync(self.save), async_to_sync(self.store.chain)
        first = save()
        second, branch = save(first), save(first)
        third = save(second)
        with self.assertNumQueries(1):
            chain = find(third)
        assert [stored.pk for stored in chain] == [first, second, third]
        assert [stored.pk for stored in find(branch)] == [first, branch]
        assert chain[0].items[1]["content"] == "Yes."

    async def test_a_chain_with_a_gap_is_refused(self):
        first = await self.save()
        second = await self.save(first)
        await self.store.delete(first)
        with pytest.raises(InvalidRequest, match=f"`{first}` not found") as caught:
            await self.store.chain(second)
        assert caught.value.code == "previous_response_not_found"
        assert (await self.store.get(second)).pk == second

    async def test_a_chain_has_an_end(self):
        response = await self.save()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_module, "MAX_CHAIN", 3)
            for _ in range(2):
                response = await self.save(response)
            response = await self.save(response)
            with pytest.raises(InvalidRequest, match="longer than 3 responses"):
                await self.store.chain(response)

    async def test_what_expires_is_not_found_and_then_deleted(self):
        first = await self.save()
        self.clock.wait(29)
        await self.store.get(first)
        self.clock.wait(2)
        with pytest.raises(ResponseNotFound, match="older than 30 days"):
            await self.store.get(first)
        with pytest.raises(InvalidRequest):
            await self.store.chain(first)
        assert await self.store.items([item_id("message", first, "0")]) == {}
        await self.save()
        assert await sync_to_async(self.store.purge)() == 1
        assert await StoredResponse.objects.acount() == 1

    async def test_what_is_continued_is_kept_as_long_as_its_continuation(self):
        first = await self.save()
        self.clock.wait(20)
        second = await self.save(first)
        self.clock.wait(20)
        assert len(await self.store.chain(second)) == 2
        self.clock.wait(11)
        with pytest.raises(ResponseNotFound):
            await self.store.get(first)

    async def test_items_are_found_by_their_ids(self):
        first, second = await self.save(), await self.save()
        wanted = [item_id("message", first, "0"), item_id("message", second, "i0")]
        found = await self.store.items([*wanted, item_id("message", first, "7"), "msg_from_elsewhere"])
        assert set(found) == set(wanted)

    async def test_a_database_that_refuses_costs_only_the_storing(self):
        def fail(**_: object) -> None:
            raise DatabaseError("full")

        with pytest.MonkeyPatch.context() as patch, self.assertLogs("inference.responses.store", "ERROR"):
            patch.setattr(StoredResponse.objects, "create", fail)
            assert not await self.store.save(body("resp_x"), [], [])


@pytest.mark.django_db
async def test_expired_responses_are_deleted_now_and_then_in_the_background(monkeypatch):
    purges = []
    clock = Clock()
    store = ResponseStore(clock)
    monkeypatch.setattr(store, "_write", lambda *_: None)
    monkeypatch.setattr(store, "purge", lambda: purges.append(clock.now) or 0)

    async def save() -> None:
        await store.save(body("resp_x"), [], [])
        await asyncio.gather(*store._purges)

    for minutes in (0, 5, 4, 2, 20):
        clock.now += timedelta(minutes=minutes)
        await save()
    assert purges == [START, START + timedelta(minutes=11), START + timedelta(minutes=31)]


@pytest.mark.django_db
async def test_a_purge_that_fails_is_logged(monkeypatch, caplog):
    store = ResponseStore(Clock())

    def fail() -> int:
        raise DatabaseError("locked")

    monkeypatch.setattr(store, "_write", lambda *_: None)
    monkeypatch.setattr(store, "purge", fail)
    assert await store.save(body("resp_x"), [], [])
    await asyncio.gather(*store._purges)
    assert "could not be deleted" in caplog.text


def test_input_items_get_ids_that_differ():
    item = {"type": "message", "role": "user", "content": "Hi", "id": "msg_1"}
    items = complete([item, item, {**item, "id": None}], "resp_0")
    assert [item["id"] for item in items] == ["msg_1", "msg_0_i1", "msg_0_i2"]


def test_what_the_assistant_says_in_one_go_is_one_message():
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    items = [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "reasoning", "content": [], "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": "Wait."},
        call,
        {**call, "call_id": "c2"},
        {"type": "function_call_output", "call_id": "c2", "output": "x"},
        {"type": "message", "role": "assistant", "content": "Done."},
    ]
    talk = conversation("Be brief.", items[:2], items[2:])
    assert [message["role"] for message in talk.messages] == ["system", "user", "assistant", "tool", "assistant"]
    turn = talk.messages[2]
    assert (turn["reasoning_content"], turn["content"], len(turn["tool_calls"])) == ("Hm.", "Wait.", 2)
    assert talk.origins == ["instructions", *["previous_response_id"] * 2, "input[3]", "input[4]"]


@override_settings(RESPONSE_RETENTION_DAYS=0)
def test_a_store_that_keeps_nothing_says_so():
    assert not ResponseStore().is_on


@pytest.fixture
def stored(db) -> StoredResponse:
    now = datetime.now(timezone.utc)
    text = {"type": "output_text", "text": "Paris.", "annotations": []}
    answer = {**body("resp_1"), "status": "completed"}
    answer["output"][0]["content"] = [text]
    return StoredResponse.objects.create(
        id="resp_1",
        model="demo",
        created_at=now,
        expires_at=now + timedelta(days=1),
        input_items=complete([{"type": "message", "role": "user", "content": "The capital?"}], "resp_1"),
        body=answer,
    )


def test_the_admin_shows_and_deletes_but_changes_nothing(admin_client, stored):
    assert "resp_1" in admin_client.get(ADMIN).content.decode()
    page = admin_client.get(f"{ADMIN}resp_1/change/").content.decode()
    assert "The capital?" in page
    assert "Paris." in page
    assert 'name="_save"' not in page
    assert admin_client.get(f"{ADMIN}add/").status_code == 403
    admin_client.post(f"{ADMIN}resp_1/delete/", {"post": "yes"})
    assert not StoredResponse.objects.exists()


def test_the_server_deletes_what_has_expired(tmp_path):
    live_server.set_up(tmp_path)
    database = sqlite3.connect(tmp_path / live_server.DATABASE)
    row = ("resp_old", "demo", START.isoformat(" "), START.isoformat(" "), "", "[]", "{}", 0)
    with database:
        database.execute(f"INSERT INTO inference_storedresponse ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    server = live_server.start(tmp_path)
    try:
        body = httpx.post(f"{server.base_url}/responses", json={"model": "demo", "input": "Hello!"}, timeout=60).json()
        ids = "SELECT id FROM inference_storedresponse"
        live_server.wait_until(lambda: database.execute(ids).fetchall() == [(body["id"],)])
    finally:
        server.stop()
        database.close()


def test_a_server_without_retention_stores_nothing(tmp_path):
    live_server.set_up(tmp_path, responses={"retention_days": 0})
    server = live_server.start(tmp_path)
    try:
        response = httpx.post(
            f"{server.base_url}/responses", json={"model": "demo", "input": "Hello!", "store": True}, timeout=60
        )
        assert (response.status_code, response.json()["store"]) == (200, False)
        assert response.headers["x-ignored-fields"] == "store"
        assert httpx.get(f"{server.base_url}/responses/{response.json()['id']}", timeout=60).status_code == 404
    finally:
        server.stop()
