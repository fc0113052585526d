"""What the configuration says in effect, and where each value comes from, without its secrets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llmsite.config import SECTIONS, Config
from llmsite.config_values import settings_of

DEFAULT = "default"
MASK = "********"


@dataclass(frozen=True)
class Row:
    """A key in effect. origin: "default", "file:line", or the name of an environment variable."""

    key: str
    value: Any
    origin: str


def rows(config: Config) -> Iterator[Row]:
    """Yield every key of the sections, and of each model those that the configuration gives."""
    for name, section in SECTIONS.items():
        for key, item in settings_of(section).items():
            yield _row(config, f"{name}.{key}", getattr(getattr(config, name), key), item.metadata["secret"])
    for entry in config.models:
        for key, item in settings_of(type(entry)).items():
            if key in entry.named or key == "name":
                yield _row(config, f"{entry.where}.{key}", getattr(entry, key), item.metadata["secret"])


def _row(config: Config, key: str, value: Any, is_secret: bool) -> Row:
    return Row(key, masked(value) if is_secret else value, config.layers.origins.get(key, DEFAULT))


def masked(value: Any) -> Any:
    """Return a secret value so that it can be shown: of a URL only the passwords are one."""
    if value is None:
        return None
    if not re.match(r"[a-z0-9+]+://", value):
        return MASK
    without_userinfo = re.sub(r"://([^:/@]*):.*@", rf"://\1:{MASK}@", value)
    return re.sub(r"(password=)[^&]*", rf"\1{MASK}", without_userinfo)
