"""What the operator denies is used for nobody: not by the policy itself, not for a person, not for an agent."""

import pytest

from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.authority import (
    ANSWERING,
    PERSON,
    POLICY,
    Answerer,
    Authority,
    PermissionReply,
    QuestionReply,
    Reply,
)
from opencode_mcp.runs.policy import Policy
from opencode_mcp.runs.record import Run
from opencode_mcp.runs.report import PendingRequest

RUN = Run("/project", "ses_1", "msg_1", starter="agent")
PERMISSION = PendingRequest(
    request_id="per_1", kind="permission", session_id="ses_1", asks="", permission="bash", patterns=["ls"]
)
QUESTION = PendingRequest(request_id="que_1", kind="question", session_id="ses_1", asks="")
EVERYBODY = (POLICY, PERSON, Answerer("agent"), Answerer("agent", person_at_hand=True))
ASKED = pytest.mark.parametrize(
    ("request_", "operation", "replies"),
    [
        (PERMISSION, "permission.reply", [PermissionReply("once"), PermissionReply("always")]),
        (QUESTION, "question.reply", [QuestionReply([["Red"]])]),
    ],
    ids=["permission", "question"],
)


@pytest.mark.parametrize("decider", DECIDERS)
@ASKED
def test_a_denied_answer_is_given_for_nobody(
    request_: PendingRequest, operation: str, replies: list[Reply], decider: Decider
) -> None:
    authority = Authority(Policy(decider), denied=frozenset({operation}))
    assert authority.automatic(RUN, request_) is None
    assert not authority.is_for_person(RUN, request_)
    for at_hand in (True, False):
        assert not authority.agent_may_answer(RUN, request_, person_at_hand=at_hand)
        assert not authority.agent_may_always(RUN, request_, person_at_hand=at_hand)
    for by in EVERYBODY:
        for reply in replies:
            assert f"denies {operation}" in authority.refusal(RUN, request_, reply, by)


@pytest.mark.parametrize("by", EVERYBODY)
def test_a_rejection_is_denied_by_the_operation_that_sends_it(by: Answerer) -> None:
    permission, question = PermissionReply("reject"), QuestionReply()
    assert Authority(Policy(), denied=frozenset({"permission.reply"})).refusal(RUN, PERMISSION, permission, by)
    assert Authority(Policy(), denied=frozenset({"question.reject"})).refusal(RUN, QUESTION, question, by)
    others = Authority(Policy(), denied=ANSWERING - {"question.reject"})
    assert not others.refusal(RUN, QUESTION, question, by)


@ASKED
def test_what_is_denied_for_the_other_kind_of_request_changes_nothing(
    request_: PendingRequest, operation: str, replies: list[Reply]
) -> None:
    others = Authority(Policy("allow"), denied=ANSWERING - {operation})
    assert not others.refusal(RUN, request_, replies[0], Answerer("agent"))
