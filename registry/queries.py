"""Asking the database from the event loop."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


async def query(function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a function that asks the database in a thread, and give its connection back at once.

    Otherwise the request would keep it to its end, which is minutes for a long answer: as many connections as answers.
    """
    return await sync_to_async(_released)(function, *args, **kwargs)


async def without_connection(events: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Yield the events of a page that stays open, after giving back the connection that its view has used."""
    await sync_to_async(close_old_connections)()
    async with aclosing(events):
        async for event in events:
            yield event


def _released(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()
