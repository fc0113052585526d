"""What was asked for and what it took: a row for each request, and sums by the hour for pages that show much."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from access.models import APIKey
from llmsite.config_models import MODEL_NAME_MAX_LENGTH

# Upper bounds in milliseconds of the classes in which an hour counts times to the first token; the last has none.
FIRST_TOKEN_BOUNDS = (
    *(10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750),
    *(1000, 1500, 2000, 3000, 5000, 7500, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000),
)


class RequestLog(models.Model):
    """One request to the API that a model was to answer, or that was turned away before.

    What was said in it is kept elsewhere, if at all.
    """

    at = models.DateTimeField(_("time"), db_index=True)
    request_id = models.CharField(_("request id"), max_length=64, db_index=True)
    endpoint = models.CharField(_("endpoint"), max_length=64)
    # As the client named it: a registration or preset, which may be gone by now.
    model = models.CharField(_("model"), max_length=MODEL_NAME_MAX_LENGTH, blank=True)
    key = models.ForeignKey(
        APIKey, verbose_name=_("API key"), null=True, blank=True, on_delete=models.SET_NULL, related_name="requests"
    )
    key_prefix = models.CharField(_("key"), max_length=16, blank=True)
    status = models.PositiveSmallIntegerField(_("status"))
    error_code = models.CharField(_("error"), max_length=64, blank=True)
    error = models.CharField(_("message"), max_length=512, blank=True)
    streamed = models.BooleanField(_("streamed"), default=False)
    finish_reason = models.CharField(_("finish reason"), max_length=16, blank=True)
    prompt_tokens = models.PositiveIntegerField(_("prompt tokens"), default=0)
    cached_tokens = models.PositiveIntegerField(_("of them cached"), default=0)
    completion_tokens = models.PositiveIntegerField(_("tokens generated"), default=0)
    reasoning_tokens = models.PositiveIntegerField(_("of them reasoning"), default=0)
    queue_ms = models.PositiveIntegerField(_("queued, ms"), null=True)
    first_token_ms = models.PositiveIntegerField(_("first token, ms"), null=True)
    total_ms = models.PositiveIntegerField(_("total, ms"))

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["model", "-at"], name="usage_log_model_at"),
            models.Index(fields=["key", "-at"], name="usage_log_key_at"),
            models.Index(fields=["status", "-at"], name="usage_log_status_at"),
            models.Index(fields=["-total_ms"], name="usage_log_total_ms"),
            # Errors are few: without it, finding the last of them reads all that went well since.
            models.Index(fields=["-at"], condition=models.Q(error_code__gt=""), name="usage_log_errors_at"),
        ]

    def __str__(self) -> str:
        return self.request_id


class Totals(models.Model):
    """What some requests took together.

    first_token_counts: how many first tokens came within each of FIRST_TOKEN_BOUNDS, and after the last of them.
    """

    requests = models.PositiveIntegerField(_("requests"), default=0)
    errors = models.PositiveIntegerField(_("errors"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(_("prompt tokens"), default=0)
    cached_tokens = models.PositiveBigIntegerField(_("of them cached"), default=0)
    completion_tokens = models.PositiveBigIntegerField(_("tokens generated"), default=0)
    total_ms = models.PositiveBigIntegerField(_("total, ms"), default=0)
    first_token_counts = models.JSONField(default=list)

    class Meta:
        abstract = True


class UsageHour(Totals):
    """The requests of one hour, of one model with one key: what reports and bills are made of."""

    hour = models.DateTimeField(_("hour"))
    model = models.CharField(_("model"), max_length=MODEL_NAME_MAX_LENGTH, blank=True)
    key = models.ForeignKey(
        APIKey, verbose_name=_("API key"), null=True, blank=True, on_delete=models.SET_NULL, related_name="hours"
    )
    key_prefix = models.CharField(_("key"), max_length=16, blank=True)

    class Meta:
        verbose_name = _("usage of an hour")
        verbose_name_plural = _("usage by the hour")
        ordering = ["-hour"]
        constraints = [
            models.UniqueConstraint(fields=["hour", "model", "key_prefix"], name="usage_hour_model_key"),
        ]
        indexes = [models.Index(fields=["key_prefix", "hour"], name="usage_hour_key")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00 {self.model} {self.key_prefix}"


class UsageStep(Totals):
    """The requests of one hour or one day (UTC): what the dashboard and most reports are made of.

    There is one of each model and of all models, with all keys together; and of all models, one of each day and key.
    A page that reads the hours would read one row for each hour, model and key; of these, it reads a few hundred.
    model: ALL_MODELS for the sum of all. key_prefix: ALL_KEYS for the sum of all, "" for requests without a key.
    """

    HOUR, DAY = "hour", "day"
    ALL_MODELS = ALL_KEYS = "*"  # no model's name, and no key begins so

    length = models.CharField(max_length=4, choices=[(HOUR, _("hour")), (DAY, _("day"))])
    start = models.DateTimeField()
    model = models.CharField(max_length=MODEL_NAME_MAX_LENGTH, blank=True)
    key_prefix = models.CharField(max_length=16, blank=True, default=ALL_KEYS)

    class Meta:
        verbose_name = _("usage of an hour or a day")
        verbose_name_plural = _("usage by the hour and by the day")
        constraints = [
            models.UniqueConstraint(fields=["length", "key_prefix", "start", "model"], name="usage_step_model_key"),
        ]
        # Which models were the busiest is read from the first alone; the second finds the days of the keys.
        indexes = [
            models.Index(fields=["length", "key_prefix", "start", "model", "requests"], name="usage_step_busiest"),
            models.Index(fields=["length", "model", "start"], name="usage_step_keys"),
        ]

    def __str__(self) -> str:
        return f"{self.length} {self.start:%Y-%m-%d %H}:00 {self.model} {self.key_prefix}"


class CaptureQuerySet(models.QuerySet):
    """Questions about captures."""

    def running(self, now: datetime) -> "CaptureQuerySet":
        """Return those that have not come to their end."""
        return self.filter(until__gt=now)


class Capture(models.Model):
    """A limited time in which the bodies of requests and answers are kept; see usage/capture.py."""

    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    until = models.DateTimeField(_("until"))
    model = models.CharField(
        _("model"), max_length=MODEL_NAME_MAX_LENGTH, blank=True, help_text=_("Empty: requests to all models.")
    )
    key = models.ForeignKey(
        APIKey,
        verbose_name=_("API key"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Empty: requests with any key, and without one."),
    )

    objects = CaptureQuerySet.as_manager()

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} – {self.until:%H:%M}"


class CapturedExchange(models.Model):
    """What was said in one request and its answer. The row of the log with the same request id says the rest."""

    request_id = models.CharField(_("request id"), max_length=64, db_index=True)
    at = models.DateTimeField(_("time"))
    model = models.CharField(_("model"), max_length=MODEL_NAME_MAX_LENGTH, blank=True)
    key_prefix = models.CharField(_("key"), max_length=16, blank=True)
    request_body = models.TextField(_("request"), blank=True)
    request_is_cut = models.BooleanField(_("request was cut"), default=False)
    response_body = models.TextField(_("answer"), blank=True)
    response_is_cut = models.BooleanField(_("answer was cut"), default=False)
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("captured request")
        verbose_name_plural = _("captured requests")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.request_id
