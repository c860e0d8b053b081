"""GET of a small document from an address of the operator's, which is no OpenCode server."""

from dataclasses import dataclass

import anyio
import httpx

from opencode_mcp.opencode.http_client.transport import CONNECT_TIMEOUT_SECONDS

OK = 200
HEADERS = {"accept": "application/json", "accept-encoding": "identity"}
"""A small reply that is compressed could unpack to a huge one."""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Result of a request."""

    content: bytes = b""
    server: str = ""
    """Name that the server gives itself."""
    problem: str = ""
    """Reason why there is no content; empty if there is."""


async def fetch(
    url: str, *, seconds: float, most_bytes: int, trust_proxy: bool = False, unix_socket: str | None = None
) -> FetchResult:
    """Get a document once, and follow no redirect.

    Args:
        url: The address.
        seconds: Time for the whole document.
        most_bytes: Limit of its size.
        trust_proxy: Use the proxy that the environment names.
        unix_socket: Path of a socket to connect to, whatever host the address names.
    """
    transport = httpx.AsyncHTTPTransport(uds=unix_socket) if unix_socket else None
    timeout = httpx.Timeout(seconds, connect=CONNECT_TIMEOUT_SECONDS)
    try:
        with anyio.fail_after(seconds):
            async with (
                httpx.AsyncClient(
                    timeout=timeout, follow_redirects=False, trust_env=trust_proxy, transport=transport
                ) as client,
                client.stream("GET", url, headers=HEADERS) as reply,
            ):
                if reply.status_code != OK:
                    return FetchResult(problem=f"status {reply.status_code}")
                return await _content(reply, most_bytes)
    except TimeoutError:
        return FetchResult(problem=f"no complete answer within {seconds:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return FetchResult(problem=type(error).__name__)


async def _content(reply: httpx.Response, most_bytes: int) -> FetchResult:
    content = b""
    async for chunk in reply.aiter_raw():
        content += chunk
        if len(content) > most_bytes:
            return FetchResult(problem=f"more than {most_bytes:,} bytes")
    return FetchResult(content, server=reply.headers.get("server", ""))
