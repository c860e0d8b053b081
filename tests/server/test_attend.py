"""Who is asked follows from the policy, the run's narrowing and what the client can show."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, get_args

import anyio
import pytest
from mcp_types import ClientCapabilities

from opencode_mcp.config import Settings
from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.record import Run
from opencode_mcp.runs.report import PendingRequest, RunReport
from opencode_mcp.server.attend import complete, is_for_person, may_answer, report_result
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.subscriptions import Subscriptions

pytestmark = pytest.mark.anyio

FORMS = ClientCapabilities.model_validate({"elicitation": {}})
NONE = ClientCapabilities()
Kind = Literal["permission", "question"]


def asking(kind: Kind) -> PendingRequest:
    return PendingRequest(request_id=f"{kind}_1", kind=kind, session_id="ses_1", asks="?", permission="bash")


def run(narrowed: Decider = "allow") -> Run:
    return Run("/p", "ses_1", "msg_1", narrowed)


@asynccontextmanager
async def bridge_with(permissions: Decider, folder: Path) -> AsyncGenerator[Bridge]:
    """A bridge that reaches for no OpenCode."""
    async with anyio.create_task_group() as tasks:
        yield Bridge(Settings(permissions=permissions, state_directory=folder), tasks, Subscriptions())
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("permissions", DECIDERS)
@pytest.mark.parametrize("narrowed", DECIDERS)
async def test_a_permission_is_the_persons_only_where_the_stricter_of_policy_and_caller_says_so(
    tmp_path: Path, permissions: Decider, narrowed: Decider
) -> None:
    decider = max(permissions, narrowed, key=DECIDERS.index)
    async with bridge_with(permissions, tmp_path) as bridge:
        request = asking("permission")
        assert is_for_person(bridge, run(narrowed), request, FORMS) is (decider == "human")
        assert not is_for_person(bridge, run(narrowed), request, NONE)
        assert may_answer(bridge, run(narrowed), request, FORMS) is (decider == "agent")
        assert may_answer(bridge, run(narrowed), request, NONE) is (decider in {"agent", "human"})


@pytest.mark.parametrize("permissions", DECIDERS)
async def test_a_question_is_put_to_the_person_and_the_agent_may_answer_it(
    tmp_path: Path, permissions: Decider
) -> None:
    async with bridge_with(permissions, tmp_path) as bridge:
        assert is_for_person(bridge, run(), asking("question"), FORMS)
        assert may_answer(bridge, run(), asking("question"), FORMS)
        assert may_answer(bridge, run(), asking("question"), NONE)


async def test_a_report_says_who_may_answer_and_its_requests_are_remembered(tmp_path: Path) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        report = RunReport(
            status="needs_input",
            session_id="ses_1",
            message_id="msg_1",
            directory="/p",
            pending=[asking(kind) for kind in get_args(Kind)],
        )
        complete(bridge, run(), report, FORMS)
        assert [request.agent_may_answer for request in report.pending] == [False, True]
        assert await bridge.requests.session_of("permission_1", []) == "ses_1"
        assert await bridge.requests.session_of("permission_2", []) == ""
    shown = report_result(report).structured_content
    assert shown
    assert "Only a person may answer permission_1" in shown["next"]
