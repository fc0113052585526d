"""The ASGI application in which every request has its record."""

from contextlib import suppress

import pytest

from usage.record import current_record
from usage.tracking import Tracked


async def run(application, headers=()) -> tuple[list[dict], list]:
    """Return what is sent for a request, and the records that the observers got."""
    sent, records = [], []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": list(headers)}
    with suppress(ZeroDivisionError):
        await Tracked(application, [records.append])(scope, None, send)
    return sent, records


async def answer(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"tea"})


async def test_the_clients_id_is_taken_and_sent_back():
    sent, [record] = await run(answer, [(b"x-request-id", b"abc-1")])
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"abc-1")]
    assert (record.request_id, record.status) == ("abc-1", 418)


@pytest.mark.parametrize("sent_id", [b"", b"two words", b"line\nbreak", "naïve".encode(), b"x" * 65])
async def test_an_id_that_is_not_sane_is_replaced(sent_id):
    sent, [record] = await run(answer, [(b"x-request-id", sent_id)])
    assert len(record.request_id) == 32
    assert sent[0]["headers"][-1] == (b"x-request-id", record.request_id.encode())


async def test_an_application_that_fails_is_noted():
    async def fail(scope, receive, send) -> None:
        raise ZeroDivisionError

    _, [record] = await run(fail)
    assert (record.status, record.error_code) == (500, "server_error")


async def test_the_record_ends_with_the_last_byte():
    """What the application does afterwards, the client does not wait for."""
    ended = []

    async def linger(scope, receive, send) -> None:
        record = current_record.get()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        ended.append(record.ended)
        await send({"type": "http.response.body", "body": b"b"})
        ended.append(record.ended)

    _, records = await run(linger)
    assert ended[0] is None
    assert ended[1] is not None
    assert len(records) == 1
