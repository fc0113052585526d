"""Where responses are kept, and how conversations are found again."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.utils import timezone

from access.identity import current_identity
from inference.exceptions import InvalidRequest, ResponseNotFound
from inference.models import StoredResponse
from registry.queries import query

logger = logging.getLogger(__name__)

MAX_CHAIN = 1000  # responses in one conversation
MAX_SHOWN = 100  # characters of an id that nobody has
PURGE_INTERVAL = timedelta(minutes=10)
# An item's id says which response it belongs to: see `items.item_id`.
ITEM_ID = re.compile(r"[a-z]{1,4}_([0-9a-f]{32})_i?\d+")

Item = dict[str, Any]


class ResponseStore:
    """Keeps responses for `responses.retention_days`. Expired ones are not found, and deleted now and then.

    A response that is continued is kept as long as its continuation. Each key finds only its own; all senders without a
    key of the database share theirs.
    """

    def __init__(self, clock: Callable[[], datetime] = timezone.now) -> None:
        self._clock = clock
        self._next_purge = clock()
        self._purges: set[asyncio.Task[None]] = set()

    @property
    def is_on(self) -> bool:
        return settings.RESPONSE_RETENTION_DAYS > 0

    async def save(self, body: dict[str, Any], input_items: list[Item], chain: list[str]) -> bool:
        """Keep a finished response, which continues the responses of `chain`; False if the database refuses."""
        try:
            await query(self._write, body, input_items, chain)
        except DatabaseError:
            logger.exception("response %s could not be stored", body["id"])
            return False
        self._purge_sometimes()
        return True

    async def get(self, response_id: str) -> StoredResponse:
        """Raises ResponseNotFound."""
        stored = await query(self._readable().filter(pk=response_id).first)
        if stored is None:
            raise ResponseNotFound(f"Response `{response_id}` was not found: {self._why_gone()}")
        return stored

    async def delete(self, response_id: str) -> None:
        """Raises ResponseNotFound."""
        stored = await self.get(response_id)
        await query(stored.delete)

    async def chain(self, response_id: str) -> list[StoredResponse]:
        """Return the response and all that it continues, the oldest first. Raises InvalidRequest if one is gone."""
        chain = await query(StoredResponse.objects.chain, response_id, _key_id(), self._clock(), MAX_CHAIN)
        missing = chain[0].previous_response_id if chain else response_id
        if len(chain) == MAX_CHAIN and missing:
            raise InvalidRequest(
                f"The conversation is longer than {MAX_CHAIN} responses. Send it as `input` instead.",
                param="previous_response_id",
            )
        if missing:
            raise InvalidRequest(
                f"Previous response with id `{missing[:MAX_SHOWN]}` not found: {self._why_gone()} "
                "Send the whole conversation as `input` instead.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return chain

    async def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return those of the items that are stored, by id."""
        wanted = set(ids)
        responses = {f"resp_{match[1]}" for match in map(ITEM_ID.fullmatch, wanted) if match}
        found: dict[str, Item] = {}
        if responses:
            for stored in await query(list, self._readable().filter(pk__in=responses)):
                found |= {item["id"]: item for item in stored.items if item["id"] in wanted}
        return found

    def _readable(self) -> QuerySet:
        return StoredResponse.objects.readable(_key_id(), self._clock())

    def purge(self) -> int:
        """Delete what has expired; return how many responses that were."""
        return StoredResponse.objects.expired(self._clock()).delete()[0]

    def _write(self, body: dict[str, Any], input_items: list[Item], chain: list[str]) -> None:
        now = self._clock()
        expires_at = now + timedelta(days=settings.RESPONSE_RETENTION_DAYS)
        StoredResponse.objects.create(
            id=body["id"],
            model=body["model"],
            key_id=_key_id(),
            created_at=now,
            expires_at=expires_at,
            previous_response_id=body["previous_response_id"] or "",
            input_items=input_items,
            body=body,
        )
        if chain:
            StoredResponse.objects.filter(pk__in=chain).update(expires_at=expires_at)

    def _purge_sometimes(self) -> None:
        """Purge in a thread of its own, so that no request waits for it."""
        now = self._clock()
        if now < self._next_purge:
            return
        self._next_purge = now + PURGE_INTERVAL
        task = asyncio.create_task(asyncio.to_thread(self._purge_in_thread))
        self._purges.add(task)
        task.add_done_callback(self._purges.discard)

    def _purge_in_thread(self) -> None:
        try:
            if count := self.purge():
                logger.info("deleted %d expired responses", count)
        except DatabaseError:
            logger.exception("expired responses could not be deleted")
        finally:
            connections.close_all()

    def _why_gone(self) -> str:
        if not self.is_on:
            return "this server keeps no responses (`responses.retention_days` is 0 in its configuration)."
        days = settings.RESPONSE_RETENTION_DAYS
        return f"there is none, or it was deleted, sent with `store: false`, or is older than {days} days."


def _key_id() -> int:
    return current_identity.get().key_id or 0


store = ResponseStore()
