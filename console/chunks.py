"""Streaming what is computed in a thread."""

from collections.abc import AsyncIterator, Iterable
from itertools import islice

from asgiref.sync import sync_to_async

ROWS = 500


async def in_chunks(texts: Iterable[str], rows: int = ROWS) -> AsyncIterator[str]:
    """Yield the texts, so many of them together, computed where the database may be asked."""
    iterator = iter(texts)
    take = sync_to_async(lambda: "".join(islice(iterator, rows)))
    while chunk := await take():
        yield chunk
