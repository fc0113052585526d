"""Says so where anybody may use the API."""

import logging
from ipaddress import ip_address

import click
from django.conf import settings

logger = logging.getLogger("llmsite")


def warn_if_open(host: str | None) -> None:
    """Log a warning if a server that listens on `host` asks others than this machine for no key. None: not known."""
    if host is None or settings.AUTH_REQUIRED or is_loopback(host):
        return
    logger.warning(
        "whoever reaches %s may use the API, since it asks for no key: set auth.required to true in the configuration "
        "and make keys with `python manage.py create_key`, or keep others away with a firewall or proxy",
        host,
    )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches that host name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def uvicorn_host() -> str | None:
    """Return where the command `uvicorn` was told to listen; None if the server was started in another way."""
    context = click.get_current_context(silent=True)
    return context.params.get("host") if context else None
