"""What the API keeps in the database: responses that may be read and continued later."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_ID = 64
# From the newest response backwards; each comes with its distance from it.
CHAIN = """
WITH RECURSIVE chain AS (
    SELECT stored.*, 0 AS distance FROM inference_storedresponse AS stored
    WHERE stored.id = %s AND stored.key_id = %s AND stored.expires_at > %s
    UNION ALL
    SELECT stored.*, chain.distance + 1 FROM inference_storedresponse AS stored
    JOIN chain ON stored.id = chain.previous_response_id
    WHERE stored.key_id = %s AND stored.expires_at > %s AND chain.distance < %s
)
SELECT * FROM chain ORDER BY distance DESC
"""


class StoredResponseQuerySet(models.QuerySet):
    def readable(self, key_id: int, now: datetime) -> models.QuerySet:
        """Return those that a key has made and that have not expired."""
        return self.filter(key_id=key_id, expires_at__gt=now)

    def expired(self, now: datetime) -> models.QuerySet:
        return self.filter(expires_at__lte=now)

    def chain(self, response_id: str, key_id: int, now: datetime, limit: int) -> "list[StoredResponse]":
        """Return the response and those it continues, the oldest first, no more than `limit` of them.

        It ends where a response is gone or of another key; if the first one has a previous response, the chain is not
        whole.
        """
        return list(self.raw(CHAIN, [response_id, key_id, now, key_id, now, limit - 1]))


class StoredResponse(models.Model):
    """A finished response of `/v1/responses`: what was asked and the whole body of the answer."""

    id = models.CharField(_("id"), primary_key=True, max_length=MAX_ID)
    model = models.CharField(_("model"), max_length=256)
    # No foreign key either: ids of keys are never given out again. 0: made without a key of the database.
    key_id = models.PositiveBigIntegerField(_("API key"), default=0)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    # Not a foreign key: either may be deleted or expire without the other.
    previous_response_id = models.CharField(_("continues"), max_length=MAX_ID, blank=True)
    input_items = models.JSONField(_("input"))
    body = models.JSONField(_("answer"))

    objects = StoredResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("stored response")
        verbose_name_plural = _("stored responses")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.id

    @property
    def output_items(self) -> list[dict[str, Any]]:
        return self.body["output"]

    @property
    def items(self) -> list[dict[str, Any]]:
        """What this response adds to a conversation."""
        return [*self.input_items, *self.output_items]
