"""The stand-in has the contract's shapes for what the preview engine cannot do.

The client of OpenCode 2 is imported by the tests that use it: that takes long, and each worker imports this module.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from starlette.responses import JSONResponse

from tests.harness.opencode2.contract.unknown_fields import unknown_fields
from tests.harness.opencode2.standin.app import StandIn, running_standin

if TYPE_CHECKING:
    from opencode import AsyncOpencode

pytestmark = pytest.mark.anyio


@pytest.fixture
async def standin() -> AsyncIterator[StandIn]:
    async with running_standin({("GET", "/api/agent"): JSONResponse({"_tag": "UnknownError"}, 500)}) as standin:
        yield standin


@pytest.fixture
async def client(standin: StandIn) -> "AsyncIterator[AsyncOpencode]":
    from opencode import AsyncOpencode

    async with AsyncOpencode(standin.url, password=standin.password, timeout=10, max_retries=0) as client:
        yield client


async def test_a_session_keeps_its_rules_and_takes_new_ones(client: "AsyncOpencode") -> None:
    from opencode.types import PermissionRule

    rule = PermissionRule(action="shell", resource="*", effect="deny")
    made = await client.session.create(title="Ruled", permissions=[rule])
    assert unknown_fields(made) == []
    await client.session.update(made.id, permissions=[])
    assert [made.permissions, (await client.session.get(made.id)).permissions] == [made.permissions, []]
    assert made.permissions
    assert made.permissions[0].effect == "deny"


async def test_what_waits_in_the_inbox_is_changed_and_taken_back(client: "AsyncOpencode") -> None:
    session = (await client.session.create()).id
    kept = await client.session.prompt(session, text="Stays", delivery="queue")
    gone = await client.session.prompt(session, text="Goes", id="msg_goes")
    await client.session.inbox.update(session, kept.id, delivery="steer")
    await client.session.inbox.cancel(session, gone.id)
    await client.session.inbox.cancel(session, "msg_never_there")
    left = await client.session.inbox.list(session)
    assert [(item.id, item.delivery) for item in left] == [(kept.id, "steer")]
    assert unknown_fields(left) == []


async def test_a_reload_ends_what_is_asked_for_and_is_noticed(client: "AsyncOpencode") -> None:
    from opencode.types import LocationShutdownEvent

    session = (await client.session.create()).id
    async with await client.event.subscribe() as stream:
        events = stream.__aiter__()
        assert (await anext(events)).type == "server.connected"
        await client.permission.create(session, action="shell", resources=["ls"])
        assert (await anext(events)).type == "permission.asked"
        assert len(await client.permission.list(session)) == 1
        await client.location.reload()
        received = await anext(events)
    assert isinstance(received, LocationShutdownEvent)
    assert await client.permission.list(session) == []


async def test_a_reply_that_a_test_has_written_comes_first(client: "AsyncOpencode") -> None:
    from opencode import InternalServerError

    with pytest.raises(InternalServerError):
        await client.agent.list()
