"""How strict a run's caller wants permissions to be answered, written into the session's own record.

There every bridge finds it again, after a restart of either side too (``session.update``). A caller can only narrow
what the operator's policy allows, so whoever writes there loosens nothing.
"""

from collections.abc import Mapping
from typing import cast

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import Session
from opencode_mcp.options import DECIDERS, Decider

KEY = "opencode-mcp"


async def note_narrowing(client: OpenCodeClient, session: Session, message_id: str, narrowed: Decider) -> None:
    """Note it for the session's next prompt; what else the session carries stays."""
    metadata = {**_metadata(session), KEY: {"message": message_id, "permissions": narrowed}}
    path = {"sessionID": session.id}
    await client.call("session.update", path=path, body={"metadata": metadata}, directory=session.directory)


def noted_narrowing(session: Session, message_id: str) -> Decider:
    """What was noted for a prompt; what cannot be read counts as the strictest."""
    noted = _metadata(session).get(KEY)
    if not isinstance(noted, Mapping):
        return "allow"
    note = cast("Mapping[str, object]", noted)
    if note.get("message") != message_id:
        return "allow"
    said = note.get("permissions")
    return said if said in DECIDERS else "reject"


def _metadata(session: Session) -> Mapping[str, object]:
    metadata = (session.model_extra or {}).get("metadata")
    return cast("Mapping[str, object]", metadata) if isinstance(metadata, Mapping) else {}
