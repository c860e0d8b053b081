"""What a caller asked for stands in the session's record, for its own prompt alone."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.endpoint import Endpoint
from opencode_mcp.opencode.models import Session
from opencode_mcp.opencode.transport import Transport
from opencode_mcp.runs.narrowing import note_narrowing, noted_narrowing
from tests.harness.opencode import OpenCode

MSG = "msg_1"


def session(metadata: object) -> Session:
    return Session.model_validate({"id": "ses_1", "metadata": metadata})


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (None, "allow"),
        ({}, "allow"),
        ({"opencode-mcp": "odd"}, "allow"),
        ({"opencode-mcp": {"message": "msg_0", "permissions": "human"}}, "allow"),
        ({"opencode-mcp": {"message": MSG, "permissions": "human"}}, "human"),
        ({"opencode-mcp": {"message": MSG, "permissions": "agent"}}, "agent"),
        ({"opencode-mcp": {"message": MSG, "permissions": "whoever"}}, "reject"),
        ({"opencode-mcp": {"message": MSG}}, "reject"),
    ],
)
def test_a_note_holds_for_its_prompt_and_an_unreadable_one_is_the_strictest(metadata: object, said: str) -> None:
    assert noted_narrowing(session(metadata), MSG) == said


@pytest.mark.anyio
@pytest.mark.integration
async def test_a_note_outlives_the_call_and_leaves_other_metadata_alone(
    opencode_server: OpenCode, project: Path
) -> None:
    transport = Transport(Endpoint(url=opencode_server.url, password=opencode_server.password))
    client = OpenCodeClient(transport)
    made = await client.session_create(str(project), {"metadata": {"mine": [1]}})
    await note_narrowing(client, made, MSG, "human")
    read = await client.session_get(made.id)
    assert noted_narrowing(read, MSG) == "human"
    assert (read.model_extra or {})["metadata"]["mine"] == [1]
    await transport.aclose()
