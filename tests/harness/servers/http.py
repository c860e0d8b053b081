"""Plain HTTP clients for what runs on loopback."""

import ssl
from collections.abc import Mapping

import httpx

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the machine's certificates takes longer than most requests, and nothing here speaks TLS."""


def ask(
    method: str,
    url: str,
    *,
    auth: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> httpx.Response:
    """Ask a server on loopback once, where no event loop runs; the arguments are httpx's."""
    return httpx.request(
        method,
        url,
        auth=auth,
        headers=headers,
        params=params,
        timeout=timeout,
        trust_env=False,
        verify=NO_CERTIFICATES,
    )


def loopback_client(
    url: str,
    *,
    auth: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> httpx.AsyncClient:
    """A client for a server on loopback.

    Args:
        url: Its base URL.
        auth: Name and password.
        headers: Sent with every request.
        timeout: Seconds.
    """
    return httpx.AsyncClient(
        base_url=url, auth=auth, headers=headers, timeout=timeout, trust_env=False, verify=NO_CERTIFICATES
    )
