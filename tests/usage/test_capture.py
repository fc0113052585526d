"""Capturing what is said, for a limited time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import APIKey
from tests.usage.records import finished
from usage import capture, exchange
from usage.exchange import Exchange
from usage.models import Capture, CapturedExchange
from usage.writer import LogWriter


@pytest.fixture(autouse=True)
def off(db):
    yield
    capture.stop()


def said(request: bytes = b"question", response: bytes = b"answer") -> Exchange:
    heard = Exchange()
    heard.request.add(request)
    heard.response.add(response)
    return heard


def write(**values: object) -> list[CapturedExchange]:
    writer = LogWriter()
    writer.add(finished(exchange=said(), at=timezone.now(), **values))
    writer.write()
    return list(CapturedExchange.objects.all())


def test_nothing_is_captured_unless_somebody_wants_it():
    assert not capture.is_on()
    assert capture.active() is None
    assert write() == []


def test_bodies_are_kept_with_their_expiry():
    capture.start(5)
    [row] = write(key_prefix="sk-12345678")
    assert (row.request_body, row.response_body) == ("question", "answer")
    assert (row.model, row.key_prefix) == ("demo", "sk-12345678")
    assert row.expires_at - row.at == timedelta(hours=24)


def test_it_ends_by_itself(monkeypatch):
    capture.start(5)
    assert capture.is_on()
    later = timezone.now() + timedelta(minutes=6)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert not capture.is_on()
    assert capture.active() is None
    assert write() == []


def test_it_can_be_stopped(caplog):
    capture.start(5)
    capture.stop()
    assert (capture.is_on(), capture.active()) == (False, None)
    assert write() == []
    assert "not captured any more" in caplog.text


def test_another_one_takes_its_place():
    capture.start(5, model="demo")
    second = capture.start(5, model="other")
    assert capture.active() == second
    assert write() == []


def test_only_what_is_wanted_is_kept():
    key, _ = APIKey.create("one")
    capture.start(5, model="demo", key=key)
    assert write() == []
    assert write(key_id=key.pk, model="other") == []
    assert len(write(key_id=key.pk)) == 1


def test_a_deleted_key_ends_the_capture_of_its_requests():
    key, _ = APIKey.create("one")
    capture.start(5, key=key)
    key.delete()
    assert write() == []
    assert not Capture.objects.exists()


def test_it_goes_on_after_a_restart():
    capture.start(5)
    capture._set(None)
    capture.load()
    assert capture.is_on()


@pytest.mark.parametrize("minutes", [0, -1, 24 * 60 + 1])
def test_it_is_never_for_ever(minutes):
    with pytest.raises(ValueError, match="expected 1 to 1440"):
        capture.start(minutes)


def test_it_can_be_forgotten():
    capture.start(5)
    write()
    assert capture.forget() == 1
    assert not CapturedExchange.objects.exists()


async def test_an_exchange_hears_both_sides_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(exchange, "LIMIT", 5)
    heard, sent = Exchange(), []

    async def receive():
        return {"type": "http.request", "body": b"1234567"}

    async def send(message):
        sent.append(message)

    assert await heard.receiving(receive)() == await receive()
    tell = heard.sending(send)
    await tell({"type": "http.response.start", "status": 200})
    await tell({"type": "http.response.body", "body": b"ab"})
    await tell({"type": "http.response.body", "body": b"cde"})
    assert (heard.request.text, heard.request.is_cut) == ("12345", True)
    assert (heard.response.text, heard.response.is_cut) == ("abcde", False)
    assert len(sent) == 3


def test_bodies_do_not_pile_up_without_end(monkeypatch, caplog):
    monkeypatch.setattr("usage.writer.BODY_LIMIT", 10)
    capture.start(5)
    writer = LogWriter()
    for name in "ab":
        writer.add(finished(name, exchange=said(), at=timezone.now()))
    writer.write()
    assert CapturedExchange.objects.get().request_id == "a"
    assert "the bodies of request b are not kept" in caplog.text
