"""What a model has shown that it can do, in a few words each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.formatting import human_bytes

ABILITIES = {
    "tools": gettext_lazy("tools"),
    "json": gettext_lazy("JSON"),
    "reasoning": gettext_lazy("reasoning"),
    "long_context": gettext_lazy("long context"),
}
NEUTRAL = ("reasoning",)  # a model that lacks it has failed nothing


@dataclass(frozen=True)
class Badge:
    """state: `yes`, `no` or `figure`."""

    label: str | Promise
    state: str


def badges(capabilities: dict[str, Any]) -> list[Badge]:
    """Return the badges for what a run has found out; see `inference/trials/outcome.py`."""
    return [*_abilities(capabilities), *_figures(capabilities)]


def render_badges(capabilities: dict[str, Any] | None) -> str:
    """Return them as HTML, "" for a model that was never tested."""
    return render_to_string("inference/badges.html", {"badges": badges(capabilities)}) if capabilities else ""


def _abilities(capabilities: dict[str, Any]) -> Iterator[Badge]:
    for name, label in ABILITIES.items():
        has = capabilities.get(name)
        if has is not None and (has or name not in NEUTRAL):
            yield Badge(label, "yes" if has else "no")
    for code in capabilities.get("languages", ()):
        yield Badge(code.upper(), "yes")


def _figures(capabilities: dict[str, Any]) -> Iterator[Badge]:
    if speed := capabilities.get("tokens_per_second"):
        yield Badge(_("%(speed)s tokens/s") % {"speed": localize(speed)}, "figure")
    if first := capabilities.get("first_token_ms"):
        yield Badge(_("first token %(ms)d ms") % {"ms": first}, "figure")
    if host := capabilities.get("host_bytes"):
        yield Badge(human_bytes(host), "figure")
    if devices := capabilities.get("device_bytes"):
        yield Badge(_("%(size)s on GPUs") % {"size": human_bytes(devices)}, "figure")
