"""POST of a body to an address of the operator's, which is no OpenCode server."""

import httpx

from opencode_mcp.opencode.http_client.transport import CONNECT_TIMEOUT_SECONDS


async def post(url: str, body: bytes, headers: dict[str, str], *, seconds: float) -> tuple[int, str]:
    """Send a body once, and follow no redirect; the content of the response is not read.

    Args:
        url: The address.
        body: JSON.
        headers: Further headers.
        seconds: Time for the response.

    Returns:
        The status code, and an empty text; or 0, and the reason why there is no response.
    """
    timeout = httpx.Timeout(seconds, connect=CONNECT_TIMEOUT_SECONDS)
    try:
        async with (
            httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers={"content-type": "application/json", **headers}) as reply,
        ):
            return reply.status_code, ""
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Without the address: it may contain a token.
        return 0, type(error).__name__
