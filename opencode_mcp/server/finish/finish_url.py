"""Address of the operator's that gets the report of each run that ends or needs input (``--on-finish-url``).

Each report is signed with the key of the settings, so that the receiver knows who has sent it and that nothing was
changed. The signature covers the time, so that an old report cannot be sent again by somebody else.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import anyio

from opencode_mcp.opencode.http_client import report_posting

logger = logging.getLogger(__name__)

PAUSES: Sequence[float] = (1.0, 4.0, 15.0, 60.0)
"""Seconds before the second and each further attempt."""
ATTEMPT_SECONDS = 15.0
DELIVERY = "OpenCode-MCP-Delivery"
"""Header with the id of a report; it is the same in each attempt."""
TIMESTAMP = "OpenCode-MCP-Timestamp"
"""Header with the time of the attempt, in seconds since 1970."""
SIGNATURE = "OpenCode-MCP-Signature"
"""Header with ``sha256=`` and the HMAC-SHA256 of the timestamp, a dot, and the body, in hexadecimal."""
TRY_AGAIN = frozenset({0, 408, 425, 429})
"""Status codes after which a report is sent again, as after those of a broken server; 0 stands for no response."""
SERVER_ERROR = 500
GOOD = range(200, 300)


async def deliver(url: str, key: str, body: bytes, pauses: Sequence[float] = PAUSES) -> bool:
    """Send a report, a few times if that fails; return True if the receiver has accepted it.

    Args:
        url: The address.
        key: Key of the signature.
        body: The report as JSON.
        pauses: Seconds before each further attempt.
    """
    delivery = secrets.token_hex(16)
    status, reason = await _attempt(url, key, body, delivery)
    for pause in pauses:
        if status not in TRY_AGAIN and status < SERVER_ERROR:
            break
        await anyio.sleep(pause)
        status, reason = await _attempt(url, key, body, delivery)
    if status not in GOOD:
        host = urlsplit(url).hostname
        logger.warning("%s did not take a report of --on-finish-url: %s", host, reason or f"status {status}")
    return status in GOOD


async def _attempt(url: str, key: str, body: bytes, delivery: str) -> tuple[int, str]:
    now = str(int(time.time()))
    headers = {DELIVERY: delivery, TIMESTAMP: now, SIGNATURE: signature(key, now, body)}
    return await report_posting.post(url, body, headers, seconds=ATTEMPT_SECONDS)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a report."""
    signed = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"
