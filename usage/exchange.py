"""The bodies of one request and its answer, as far as they are kept."""

from collections.abc import Awaitable, Callable
from typing import Any

LIMIT = 256 * 1024  # bytes kept of each body

Message = dict[str, Any]


class Body:
    """The first LIMIT bytes of what is added to it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.is_cut = False

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, data: bytes) -> None:
        room = LIMIT - len(self._bytes)
        self._bytes += data[:room]
        self.is_cut = self.is_cut or len(data) > room

    @property
    def text(self) -> str:
        return self._bytes.decode(errors="replace")


class Exchange:
    """Listens to an ASGI application's messages."""

    def __init__(self) -> None:
        self.request = Body()
        self.response = Body()

    @property
    def num_bytes(self) -> int:
        return len(self.request) + len(self.response)

    def receiving(self, receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
        """Return a `receive` that keeps the body it hands on."""

        async def listen() -> Message:
            message = await receive()
            self.request.add(message.get("body", b""))
            return message

        return listen

    def sending(self, send: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
        """Return a `send` that keeps the body it hands on."""

        async def tell(message: Message) -> None:
            self.response.add(message.get("body", b""))
            await send(message)

        return tell
