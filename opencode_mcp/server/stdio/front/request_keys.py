"""First messages of a connection: find the requests that may get a saved response, and their keys.

Pure. The front uses it for the messages that it reads, and the answered for those that the SDK gets, so both derive the
same keys.

The key of a request is a digest of all that can change its response: the fingerprint of this start, the whole
request without its id, and in the 2025 era the whole ``initialize`` request of the connection. So nothing here has to
know how the SDK validates a request: a request that the SDK would refuse never equals one that it answered. Only fields
that cannot change a response are left out, because hosts change them from start to start: the name and the version of
the host, the progress token, and the identifiers of distributed tracing.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import cast

from opencode_mcp.text.json_types import JsonObject

INITIALIZE = "initialize"
DISCOVER = "server/discover"
LIST_TOOLS = "tools/list"
PING = "ping"
PONG: JsonObject = {}
"""Response to a ping in the 2025 era. The 2026 era has no ping."""
PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
"""Field of ``_meta`` that each request of the 2026 era has, and no other."""
CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
PROGRESS = "progressToken"
TRACING = frozenset({"traceparent", "tracestate", "baggage"})
NAMES = frozenset({"name", "version"})
FIELDS = frozenset({"jsonrpc", "id", "method", "params"})
NO_KEY = ""


class RequestKeys:
    """State of one connection, as far as it determines the responses.

    Args:
        fingerprint: Digest of what else determines the responses; see ``fingerprint.py``.
    """

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._initialize: JsonObject | None = None
        """Parameters of the handshake of the 2025 era."""
        self._opened = False
        self._used: set[str] = set()
        self.ended = False
        """True once no later request can have a key."""

    def key_of(self, message: JsonObject) -> str:
        """Take the next message and return the key of its response, or ``NO_KEY``.

        Args:
            message: A request or a notification.
        """
        if self.ended or "id" not in message:
            return NO_KEY
        method = message.get("method")
        if not self._opened:
            return self._open(message)
        if method == INITIALIZE:
            # It may change the protocol version of the connection.
            self.ended = True
            return NO_KEY
        if method not in {DISCOVER, LIST_TOOLS} or method in self._used:
            return NO_KEY
        return self._key(message) if self._fits_era(message) else NO_KEY

    def allows_ping(self, message: JsonObject) -> bool:
        """Return True if a message is a ping that ``PONG`` answers."""
        is_plain = message.get("method") == PING and not message.get("params")
        return is_plain and "id" in message and self._initialize is not None and not self.ended

    def _open(self, message: JsonObject) -> str:
        """Take the first request, which determines the era of the connection."""
        self._opened = True
        if message.get("method") == INITIALIZE:
            self._initialize = _normalized(_params(message))
            return self._key(message)
        if message.get("method") in {DISCOVER, LIST_TOOLS} and _is_of_2026_era(message):
            return self._key(message)
        self.ended = True
        return NO_KEY

    def _fits_era(self, message: JsonObject) -> bool:
        is_of_2025_era = self._initialize is not None
        return _is_of_2026_era(message) != is_of_2025_era

    def _key(self, message: JsonObject) -> str:
        method = cast("str", message["method"])
        self._used.add(method)
        decisive = [self._fingerprint, self._initialize, method, _normalized(_params(message))]
        try:
            digest = sha256(json.dumps(decisive, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())
        except (ValueError, RecursionError):
            # Half a surrogate pair, or a number that JSON does not have.
            self.ended = True
            return NO_KEY
        return f"{method.replace('/', '-')}-{digest.hexdigest()}"


def is_readable(message: object) -> bool:
    """Return True if a JSON value is a request or a notification with nothing unusual in its frame."""
    if not isinstance(message, dict):
        return False
    fields = cast("dict[str, object]", message)
    is_call = fields.get("jsonrpc") == "2.0" and isinstance(fields.get("method"), str) and FIELDS.issuperset(fields)
    return is_call and isinstance(fields.get("params", {}), dict) and _is_id(fields.get("id", 0))


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _params(message: JsonObject) -> JsonObject | None:
    return cast("JsonObject | None", message.get("params"))


def _is_of_2026_era(message: JsonObject) -> bool:
    meta = (_params(message) or {}).get("_meta")
    return isinstance(meta, Mapping) and PROTOCOL_VERSION in meta


def _normalized(params: JsonObject | None) -> JsonObject | None:
    """Remove parts of a request's parameters that cannot change its response."""
    if params is None:
        return None
    normalized = _without_names(params, "clientInfo")
    meta = normalized.get("_meta")
    if isinstance(meta, Mapping):
        kept = {key: value for key, value in cast("JsonObject", meta).items() if not _is_unused(key, value)}
        normalized["_meta"] = _without_names(kept, CLIENT_INFO)
    return normalized


def _is_unused(key: str, value: object) -> bool:
    return (key == PROGRESS and _is_id(value)) or (key in TRACING and isinstance(value, str))


def _without_names(fields: JsonObject, key: str) -> dict[str, object]:
    """Empty the name and the version in the client information below a key, where they are texts."""
    info = fields.get(key)
    if not isinstance(info, Mapping):
        return dict(fields)
    emptied = {name: _emptied(name, value) for name, value in cast("JsonObject", info).items()}
    return {**fields, key: emptied}


def _emptied(name: str, value: object) -> object:
    return "" if name in NAMES and isinstance(value, str) else value
