"""WebSocket to OpenCode: texts and bytes, and none of the exceptions of httpx-ws."""

from contextlib import suppress

import httpx_ws
import wsproto.events


class WebSocket:
    """Open WebSocket. A broken connection counts as closed, since no more data can arrive.

    Args:
        session: The session of httpx-ws.
    """

    def __init__(self, session: "httpx_ws.AsyncWebSocketSession") -> None:
        self._session = session

    async def send(self, text: str) -> None:
        """Send a text; a closed socket ignores it."""
        with suppress(httpx_ws.HTTPXWSException):
            await self._session.send_text(text)

    async def receive(self) -> str | bytes | None:
        """Wait for the next message; ``None`` if the socket is closed."""
        try:
            message = await self._session.receive()
        except httpx_ws.HTTPXWSException:
            return None
        if isinstance(message, wsproto.events.TextMessage):
            return message.data
        return bytes(message.data) if isinstance(message, wsproto.events.BytesMessage) else b""
