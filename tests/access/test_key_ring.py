"""KeyRing: whose key it is, what is kept of that, and for how long."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest
from django.test import TestCase

from access import key_ring
from access.identity import Identity
from access.key_ring import NOBODY, TIME_TO_LIVE, Found, KeyRefused, KeyRing
from access.models import APIKey, digest_of
from registry.models import RegisteredModel

pytestmark = pytest.mark.django_db  # a look gives the connection back, whoever has looked

NOW = datetime(2026, 5, 1, tzinfo=timezone.utc)


class Keys:
    """A database of keys, and a clock."""

    def __init__(self) -> None:
        self.rows: dict[str, Found] = {}
        self.asked: list[str] = []
        self.seconds = 0.0

    def put(self, key: str, **fields: object) -> None:
        self.rows[digest_of(key)] = Found(Identity(key, key_id=1, prefix=key[:11]), **fields)

    def find(self, digest: str) -> Found:
        self.asked.append(digest)
        return self.rows.get(digest, NOBODY)

    def ring(self) -> KeyRing:
        return KeyRing(self.find, lambda: self.seconds, lambda: NOW)


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def ring(keys):
    return keys.ring()


async def test_a_key_is_looked_up_once(keys, ring):
    keys.put("sk-good")
    assert (await ring.owner("sk-good")).client == "sk-good"
    assert await ring.owner("sk-good") is await ring.owner("sk-good")
    assert len(keys.asked) == 1


async def test_requests_at_the_same_time_wait_for_the_same_answer(keys, ring):
    keys.put("sk-good")
    owners = await asyncio.gather(*(ring.owner("sk-good") for _ in range(50)))
    assert {owner.client for owner in owners} == {"sk-good"}
    assert len(keys.asked) == 1


async def test_a_revocation_by_another_process_is_seen_in_half_a_second(keys, ring):
    keys.put("sk-good")
    await ring.owner("sk-good")
    keys.put("sk-good", revoked_at=NOW)
    keys.seconds = TIME_TO_LIVE
    with pytest.raises(KeyRefused, match=r"The API key sk-good… has been revoked\."):
        await ring.owner("sk-good")
    assert TIME_TO_LIVE < 1


async def test_what_this_process_changes_holds_at_once(keys, ring):
    keys.put("sk-good")
    await ring.owner("sk-good")
    keys.put("sk-good", revoked_at=NOW)
    ring.forget()
    with pytest.raises(KeyRefused):
        await ring.owner("sk-good")


async def test_what_was_read_while_something_changed_is_not_kept(keys):
    keys.put("sk-good")
    ring = KeyRing(lambda digest: (keys.find(digest), ring.forget())[0], lambda: 0.0)
    await ring.owner("sk-good")
    await ring.owner("sk-good")
    assert len(keys.asked) == 2


async def test_a_key_expires_without_being_looked_up_again(keys):
    moments = iter([NOW - timedelta(seconds=1), NOW])
    ring = KeyRing(keys.find, lambda: 0.0, lambda: next(moments))
    keys.put("sk-good", expires_at=NOW)
    assert await ring.owner("sk-good")
    with pytest.raises(KeyRefused, match=r"expired on 2026-05-01 00:00 UTC\."):
        await ring.owner("sk-good")
    assert len(keys.asked) == 1


async def test_what_does_not_look_like_a_key_costs_no_question(keys, ring):
    assert [await ring.owner(text) for text in ("", "any text", "Sk-x")] == [None, None, None]
    assert keys.asked == []


async def test_a_flood_of_bad_keys_drives_out_no_good_one(keys, ring, monkeypatch):
    monkeypatch.setattr(key_ring, "MAX_UNKNOWN", 10)
    keys.put("sk-good")
    await ring.owner("sk-good")
    for number in range(30):
        assert await ring.owner(f"sk-bad-{number}") is None
    assert (len(ring._unknown), len(ring._known)) == (10, 1)
    keys.asked.clear()
    await ring.owner("sk-good")
    await ring.owner("sk-bad-29")
    assert keys.asked == []


async def test_one_impatient_request_does_not_end_the_look_for_others(keys):
    keys.put("sk-good")
    ring = keys.ring()
    first, second = (asyncio.create_task(ring.owner("sk-good")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).client == "sk-good"
    assert first.cancelled()


class ChangesTest(TestCase):
    """What is saved anywhere reaches the ring of this process."""

    async def owner(self) -> Identity | None:
        return await key_ring.key_ring.owner(self.text)

    def setUp(self) -> None:
        self.key, self.text = APIKey.create("x", all_models=False)
        self.model = RegisteredModel.objects.create(name="a", path="a.gguf")
        key_ring.key_ring.forget()
        self.addCleanup(key_ring.key_ring.forget)

    async def test_the_database_is_asked(self):
        assert (await self.owner()).key_id == self.key.pk
        assert await key_ring.key_ring.owner(self.text[:-1] + "_") is None

    async def change(self, change) -> None:
        from asgiref.sync import sync_to_async

        def committed() -> None:
            with self.captureOnCommitCallbacks(execute=True):
                change()

        await sync_to_async(committed)()

    async def test_a_revoked_key_is_refused_at_once(self):
        await self.owner()
        await self.change(self.key.revoke)
        with self.assertRaises(KeyRefused):
            await self.owner()

    async def test_chosen_and_renamed_models_hold_at_once(self):
        assert (await self.owner()).names == frozenset()
        await self.change(lambda: self.key.allowed_models.add(self.model))
        assert (await self.owner()).names == {"a"}
        self.model.name = "b"
        await self.change(self.model.save)
        assert (await self.owner()).names == {"b"}

    async def test_a_deleted_key_is_unknown(self):
        await self.owner()
        await self.change(self.key.delete)
        assert await self.owner() is None
