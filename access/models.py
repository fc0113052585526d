"""Who may use the API, what of it, and how much."""

import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.change_history import ChangeHistory
from registry.models import Preset, RegisteredModel

KEY_START = "sk-"
PREFIX_LENGTH = 11  # characters of a key that stay readable: "sk-" and 8 of the 43 random ones
SALT = "access.APIKey"


def digest_of(key: str) -> str:
    """Return what the database keeps of a key: an HMAC-SHA256 with the site's secret key, in 64 hexadecimal digits."""
    return hmac.new(f"{SALT}{settings.SECRET_KEY}".encode(), key.encode(), hashlib.sha256).hexdigest()


def new_key() -> str:
    """Return a key of 256 random bits."""
    return KEY_START + secrets.token_urlsafe(32)


class Priority(models.IntegerChoices):
    """Whose requests go first where several wait."""

    LOW = 0, _("low")
    NORMAL = 1, _("normal")
    HIGH = 2, _("high")


class State(models.TextChoices):
    """What has become of a key."""

    ACTIVE = "active", _("active")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


class APIKeyQuerySet(models.QuerySet):
    """Questions about keys."""

    def usable(self, now: datetime) -> "APIKeyQuerySet":
        """Return those that are neither revoked nor expired."""
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)

    def in_state(self, state: State, now: datetime) -> "APIKeyQuerySet":
        """Return those of whom that is true now."""
        if state == State.ACTIVE:
            return self.usable(now)
        is_revoked = state == State.REVOKED
        kept = self.filter(revoked_at__isnull=not is_revoked)
        return kept if is_revoked else kept.filter(expires_at__lte=now)


class APIKey(models.Model):
    """A key that clients send as `Authorization: Bearer sk-…`. The key itself is shown once and not kept."""

    name = models.CharField(_("name"), max_length=128, help_text=_("Who or what uses it."))
    prefix = models.CharField(_("key"), max_length=PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="api_keys",
    )
    is_admin = models.BooleanField(
        _("may manage models"), default=False, help_text=_("May load and unload models and read the state of the pool.")
    )
    all_models = models.BooleanField(
        _("all models"), default=True, help_text=_("Otherwise only those chosen below; others stay hidden.")
    )
    allowed_models = models.ManyToManyField(
        RegisteredModel, verbose_name=_("allowed models"), blank=True, related_name="+"
    )
    allowed_presets = models.ManyToManyField(Preset, verbose_name=_("allowed presets"), blank=True, related_name="+")
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: no limit."),
    )
    tokens_per_minute = models.PositiveIntegerField(
        _("tokens a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Of prompts and answers. Empty: no limit."),
    )
    tokens_per_day = models.PositiveBigIntegerField(
        _("tokens a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Of prompts and answers, from midnight to midnight UTC. Empty: no limit."),
    )
    max_concurrent = models.PositiveIntegerField(
        _("requests at a time"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: no limit."),
    )
    priority = models.SmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = APIKeyQuerySet.as_manager()

    history = ChangeHistory(
        excluded_fields=["digest", "last_used_at", "created_at"], m2m_fields=["allowed_models", "allowed_presets"]
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def create(cls, name: str, **fields: object) -> "tuple[APIKey, str]":
        """Save a new key; return it with its text, which nobody can get back later."""
        key = cls(name=name, **fields)
        text = key.renew()
        key.save()
        return key, text

    def renew(self) -> str:
        """Give the key, unsaved, a new text; return it. Nobody can get it back later."""
        text = new_key()
        self.prefix, self.digest = text[:PREFIX_LENGTH], digest_of(text)
        return text

    @property
    def state(self) -> State:
        """What has become of the key. A key that was revoked stays so when it would have expired."""
        if self.revoked_at is not None:
            return State.REVOKED
        has_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return State.EXPIRED if has_expired else State.ACTIVE

    @property
    def is_usable(self) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.state is State.ACTIVE

    def allowed_names(self) -> frozenset[str]:
        """Return the names of the models and presets that were chosen for the key; disabled ones, too."""
        chosen = (self.allowed_models, self.allowed_presets)
        models, presets = (each.order_by().values_list("name", flat=True) for each in chosen)
        return frozenset(models.union(presets))

    def revoke(self) -> None:
        """End the key for good."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])
