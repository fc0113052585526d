"""The entry points of the FastAPI service that llmsite replaces, for scripts and service files that still call them.

`uvicorn app.main:app` and `python -m app.main` served what the YAML file named, with nothing to prepare. They still
do: `manage.py setup` runs first. Elsewhere use `make run`, or `manage.py setup` and `manage.py runserver`.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command, execute_from_command_line

from llmsite.asgi import application


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve as `llmsite.asgi.application` does, once `setup` has run; if it fails, the server does not start."""
    if scope["type"] == "lifespan":
        try:
            await sync_to_async(call_command)("setup")
        except CommandError as error:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
    await application(scope, receive, send)


if __name__ == "__main__":
    execute_from_command_line(["manage.py", "setup"])
    execute_from_command_line(["manage.py", "runserver", "--noreload"])
