"""State of both streams at the moment when the SDK takes them over from the front."""

from dataclasses import dataclass, field

from opencode_mcp.server.stdio.front.saved_responses import SavedResponses
from opencode_mcp.text.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """Descriptors, bytes that the front has read or not yet written, and the responses that it has given."""

    source: int
    """Descriptor to read the host's messages from."""
    target: int
    """Descriptor to write messages to."""
    received: bytes = b""
    """Everything that was read, in order. An answered request has an id of the front's in place of the host's."""
    ended: bool = False
    """True if the host has closed its end."""
    unsent: bytes = b""
    """Rest of the front's responses that is not written yet."""
    given: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    """Results that the front has sent, by the front's own id of the request."""
    fingerprint: str = ""
    """Digest for the keys of saved responses; empty: responses are not saved."""
    responses: SavedResponses | None = None
    """Store of saved responses."""
