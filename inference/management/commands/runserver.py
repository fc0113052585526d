"""`manage.py runserver`: the ASGI application on uvicorn, since Django's own server cannot stream."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from uvicorn.main import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload

from llmsite.exposure import warn_if_open
from llmsite.server import Server
from registry.models import RegisteredModel
from registry.setup import num_pending_migrations

WATCHED = ("llmsite", "console", "inference", "usage", "access", "registry", "templates", "config")
# Seconds that a quiet connection stays open: longer than the 60 of common proxies (nginx, AWS), so that none is closed
# under a request. uvicorn would close it after 5.
KEEP_ALIVE = 75


class Command(BaseCommand):
    help = "Serve the API, its documentation and the admin."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        server = settings.CONFIG.server
        parser.add_argument(
            "addrport", nargs="?", default="", help=f"[address:]port (default {server.host}:{server.port})"
        )
        parser.add_argument("--noreload", action="store_true", help="do not restart when a source file changes")

    def handle(self, *, addrport: str, noreload: bool, **_: Any) -> None:
        server = settings.CONFIG.server
        host, port = parse_address(addrport, server.host, server.port)
        self.stdout.write(banner(host, port, self._first_model()))
        config = uvicorn.Config(
            "llmsite.asgi:application",
            host=host,
            port=port,
            **({} if noreload else reload_options()),
            log_config=None,
            log_level=server.log_level,
            access_log=server.log_level == "debug",
            lifespan="on",
            ws="none",
            timeout_keep_alive=KEEP_ALIVE,
        )
        warn_if_open(host)
        serve(config, server.shutdown_timeout)

    @staticmethod
    def _first_model() -> str | None:
        """Return the name of a model that can answer. Raises CommandError if the database is not ready."""
        try:
            if count := num_pending_migrations():
                raise CommandError(f"the database is {count} migrations behind; `python manage.py setup` applies them")
            return RegisteredModel.objects.enabled().values_list("name", flat=True).first()
        except DatabaseError as error:
            raise CommandError(f"the database is not ready ({error}); `python manage.py setup` prepares it") from error


def serve(config: uvicorn.Config, shutdown_timeout: float) -> None:
    """Run until a signal comes, as uvicorn.run does; exit with 3 if the server could not start."""
    server = Server(config, shutdown_timeout)
    if config.should_reload:
        ChangeReload(config, target=server.run, sockets=[config.bind_socket()]).run()
        return
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def reload_options() -> dict[str, Any]:
    """Return what makes uvicorn restart the server when a source file or the configuration changes."""
    folders = [settings.BASE_DIR / name for name in WATCHED]
    return {"reload": True, "reload_dirs": [str(folder) for folder in folders], "reload_includes": ["*.py", "*.yml"]}


def parse_address(text: str, host: str, port: int) -> tuple[str, int]:
    """Read `port`, `address:port` or `[v6]:port`; what is missing comes from `host` and `port`.

    Raises CommandError.
    """
    address, _, number = text.rpartition(":")
    if number and not (number.isdecimal() and 0 < int(number) < 65536):
        raise CommandError(f"{text!r} is not [address:]port with a port between 1 and 65535")
    return address.strip("[]") or host, int(number) if number else port


def banner(host: str, port: int, model: str | None) -> str:
    """Return the lines that tell a person what to open and what to type; `model` is one that can answer."""
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else f"[{host}]" if ":" in host else host  # noqa: S104
    url = f"http://{shown}:{port}"
    lines = [
        f"OpenAI API   {url}/v1",
        f"Admin        {url}/admin/",
        f"Swagger UI   {url}/docs",
        "",
    ]
    if model:
        body = {"model": model, "messages": [{"role": "user", "content": "What is the capital of France?"}]}
        lines += ["Try it:", f"  curl {url}/v1/chat/completions -d '{json.dumps(body)}'"]
    else:
        lines += ["No model is enabled yet: register one in the admin or with `python manage.py register_model`."]
    if host == "127.0.0.1":
        lines += ["", "Only this machine can connect. For others, LibreChat in Docker included: server.host: 0.0.0.0"]
    return "\n".join([*lines, ""])
