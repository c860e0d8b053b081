"""The one who is asked follows from the policy, the caller's limit of the run, and the capabilities of the client."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal, cast, get_args

import anyio
import pytest
from mcp.server.mcpserver.exceptions import UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp_types import ClientCapabilities

from opencode_mcp.errors import BackendFailed, BackendUnavailable, BridgeError, NotFound, OpenCodeNotStarting
from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.answers.answer_rules import PERSON, POLICY, Answerer, PermissionReply, QuestionReply
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.outcome.run_report import PendingRequest, RunReport
from opencode_mcp.runs.run_record import STARTERS, Run, RunStarter
from opencode_mcp.server.bridge import Bridge, BridgeContext
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.server.waiting.answerers import add_answerers, is_for_person
from opencode_mcp.server.waiting.progress_notifications import progress_sender
from opencode_mcp.server.waiting.wait import report_result, wait_for_run
from opencode_mcp.settings import Settings

if TYPE_CHECKING:
    from mcp_types import CallToolResult

pytestmark = pytest.mark.anyio

FORMS = ClientCapabilities.model_validate({"elicitation": {}})
NONE = ClientCapabilities()
ERRORS: list[Exception] = [
    UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"),
    MCPError(0, "hush"),
    BrokenPipeError("hush"),
    anyio.BrokenResourceError(),
    anyio.ClosedResourceError(),
]
"""Errors with which sending a message can fail."""
Kind = Literal["permission", "question"]


def may_answer(bridge: Bridge, run: Run, request: PendingRequest, capabilities: ClientCapabilities) -> bool:
    """Return True if the calling agent may answer a request."""
    report = RunReport(status="needs_input", session_id="", message_id="", directory="", pending=[request])
    add_answerers(bridge, run, report, capabilities)
    return request.agent_may_answer


def asking(kind: Kind) -> PendingRequest:
    return PendingRequest(request_id=f"{kind}_1", kind=kind, session_id="ses_1", asks="?", permission="bash")


def run(caller_limit: Decider = "allow", starter: RunStarter = "agent") -> Run:
    return Run("/p", "ses_1", "msg_1", caller_limit, starter)


@asynccontextmanager
async def bridge_with(permissions: Decider, folder: Path, *, read_only: bool = False) -> AsyncGenerator[Bridge]:
    """A bridge that reaches for no OpenCode."""
    async with anyio.create_task_group() as tasks:
        yield Bridge(
            Settings(permissions=permissions, state_directory=folder, read_only=read_only), tasks, Subscriptions()
        )
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("permissions", DECIDERS)
@pytest.mark.parametrize("caller_limit", DECIDERS)
async def test_a_permission_is_the_persons_only_where_the_stricter_of_policy_and_caller_says_so(
    tmp_path: Path, permissions: Decider, caller_limit: Decider
) -> None:
    decider = max(permissions, caller_limit, key=DECIDERS.index)
    async with bridge_with(permissions, tmp_path) as bridge:
        request = asking("permission")
        assert is_for_person(bridge, run(caller_limit), request, FORMS) is (decider == "human")
        assert not is_for_person(bridge, run(caller_limit), request, NONE)
        assert may_answer(bridge, run(caller_limit), request, FORMS) is (decider == "agent")
        assert may_answer(bridge, run(caller_limit), request, NONE) is (decider in {"agent", "human"})


@pytest.mark.parametrize("starter", STARTERS)
async def test_a_persons_permission_is_the_agents_only_where_an_agent_alone_started_the_run(
    tmp_path: Path, starter: RunStarter
) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        begun = run(starter=starter)
        assert may_answer(bridge, begun, asking("permission"), NONE) is (starter == "agent")
        assert not may_answer(bridge, begun, asking("permission"), FORMS)
        assert may_answer(bridge, begun, asking("question"), NONE) is (starter == "agent")
        assert may_answer(bridge, begun, asking("question"), FORMS) is (starter != "")
    async with bridge_with("agent", tmp_path) as bridge:
        assert may_answer(bridge, run(starter=starter), asking("permission"), NONE)
        assert may_answer(bridge, run(starter=starter), asking("question"), NONE)


@pytest.mark.parametrize("permissions", DECIDERS)
async def test_a_read_only_bridge_asks_nobody_and_lets_nobody_answer(tmp_path: Path, permissions: Decider) -> None:
    async with bridge_with(permissions, tmp_path, read_only=True) as bridge:
        for kind in get_args(Kind):
            assert not is_for_person(bridge, run(), asking(kind), FORMS)
            assert not may_answer(bridge, run(), asking(kind), NONE)
            assert bridge.answer_rules.automatic(run(), asking(kind)) is None
        for reply in (PermissionReply("once"), PermissionReply("reject")):
            assert "read-only" in bridge.answer_rules.refusal(run(), asking("permission"), reply, PERSON)


@pytest.mark.parametrize("permissions", DECIDERS)
async def test_everybody_may_reject(tmp_path: Path, permissions: Decider) -> None:
    async with bridge_with(permissions, tmp_path) as bridge:
        for who in (PERSON, POLICY, Answerer("agent"), Answerer("agent", person_reachable=True)):
            begun = run(starter="person")
            assert not bridge.answer_rules.refusal(begun, asking("permission"), PermissionReply("reject"), who)
            assert not bridge.answer_rules.refusal(begun, asking("question"), QuestionReply(), who)


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
        add_answerers(bridge, run(), report, FORMS)
        assert [request.agent_may_answer for request in report.pending] == [False, True]
        assert bridge.requests.session_of("permission_1") == "ses_1"
        assert bridge.requests.session_of("permission_2") == ""
    shown = report_result(report).structured_content
    assert shown
    assert "Only a person may answer permission_1" in shown["next"]


# A run that was begun is named, whatever fails afterwards


class FailingSession:
    """A host's connection on which progress cannot be sent."""

    can_send_request = False
    client_capabilities = NONE
    client_params = None

    def __init__(self, error: Exception) -> None:
        self.error = error


class Call:
    """A call of a tool; sending its progress fails."""

    request_state = ""
    input_responses = None
    client_capabilities = NONE

    def __init__(self, bridge: Bridge, error: Exception) -> None:
        self.session = FailingSession(error)
        self.request_context = SimpleNamespace(lifespan_context=bridge, session=self.session, meta=None, request=None)

    async def report_progress(self, *_: object) -> None:
        """Fail as a broken wire, or a text that is not Unicode, does."""
        raise self.session.error


def call_of(bridge: Bridge, error: Exception = ERRORS[0]) -> BridgeContext:
    return cast("BridgeContext", Call(bridge, error))


def failing(bridge: Bridge, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have following a run fail."""

    async def observe(*_: object) -> Observation:
        raise error

    monkeypatch.setattr(bridge.runs_under_policy, "observe", observe)


@pytest.mark.parametrize("kind", [BackendUnavailable, BackendFailed, NotFound, OpenCodeNotStarting])
async def test_an_error_after_the_prompt_was_sent_reports_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BridgeError]
) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        failing(bridge, kind("It broke.", hint="Look there."), monkeypatch)
        outcome = await wait_for_run(call_of(bridge), run(), 1, started=True)
        with pytest.raises(kind):
            await wait_for_run(call_of(bridge), run(), 1)
    data = cast("CallToolResult", outcome).structured_content
    assert data
    assert (data["status"], data["session_id"], data["message_id"]) == ("running", "ses_1", "msg_1")
    assert "It broke. Look there." in data["note"]


@pytest.mark.parametrize("error", [*ERRORS, RuntimeError("hush"), ExceptionGroup("several", [ValueError("hush")])])
async def test_a_failure_of_the_bridges_own_names_the_run_and_hides_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        failing(bridge, error, monkeypatch)
        with pytest.raises(UnexpectedToolError, match=r"msg_1 of the session ses_1.*do not send it again") as caught:
            await wait_for_run(call_of(bridge), run(), 1, started=True)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", ERRORS)
async def test_a_line_of_progress_that_cannot_be_sent_ends_nothing(tmp_path: Path, error: Exception) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        await progress_sender(call_of(bridge, error))("half \ud83d a pair")
