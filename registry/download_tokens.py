"""Tokens for gated repositories of the hub that people have typed in.

They are nowhere but in the memory of the web process: no database, no log and no page has them. After a restart those
who need one type it again. A token for everybody comes from the environment (HF_TOKEN).
"""

from typing import Any

_tokens: dict[Any, str] = {}


def remember(user: Any, token: str) -> None:
    """Keep the token of a user, in the place of an earlier one."""
    _tokens[user.pk] = token


def token_of(user_id: Any) -> str | None:
    """Return the token of a user, None if there is none."""
    return _tokens.get(user_id)


def forget(user: Any) -> None:
    """Forget the token of a user."""
    _tokens.pop(user.pk, None)
