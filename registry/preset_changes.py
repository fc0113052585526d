"""What a preset changes of its model, in a few words."""

import json
from typing import Any

from django.utils.translation import gettext as _

from registry.presets import Preset

MAX_VALUE = 60  # characters of one value


def changes_of(preset: Preset) -> str:
    """Return what a preset changes of its model, in one line."""
    parts = [f"{name} {shortened(value)}" for name, value in preset.defaults().items()]
    parts += [_("%(name)s always %(value)s") % _named(item) for item in preset.forced.items()]
    parts += [_("%(name)s ignored") % {"name": name} for name in preset.stripped]
    if preset.allowed_tools is not None:
        names = ", ".join(preset.allowed_tools)
        parts.append(_("only these tools: %(names)s") % {"names": names} if names else _("no tools"))
    if preset.reasoning:
        parts.append(_("reasoning %(effort)s") % {"effort": preset.get_reasoning_display()})
    return "; ".join(parts) or _("nothing")


def shortened(value: Any, limit: int = MAX_VALUE) -> str:
    """Return a value as the form takes it, cut to so many characters."""
    text = _shown(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _named(item: tuple[str, Any]) -> dict[str, str]:
    return {"name": item[0], "value": shortened(item[1])}


def _shown(value: Any) -> str:
    """Return a value as the form takes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
