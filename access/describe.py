"""What a key may use and how much, in a few words."""

from django.utils.translation import gettext as _

from access.models import APIKey

SHOWN = 3  # names of models; of more there is the number


def models_of(key: APIKey) -> str:
    """Return the names of the models and presets that a key may use."""
    if key.all_models:
        return _("all")
    names = sorted(each.name for each in (*key.allowed_models.all(), *key.allowed_presets.all()))
    if len(names) > SHOWN:
        return _("%(names)s and %(count)d more") % {"names": ", ".join(names[:SHOWN]), "count": len(names) - SHOWN}
    return ", ".join(names) or _("none")


def limits_of(key: APIKey) -> str:
    """Return the limits of a key; "" if it has none."""
    texts = {
        _("%s requests/min"): key.requests_per_minute,
        _("%s tokens/min"): key.tokens_per_minute,
        _("%s tokens/day"): key.tokens_per_day,
        _("%s at a time"): key.max_concurrent,
    }
    return ", ".join(text % f"{limit:,}" for text, limit in texts.items() if limit is not None)
