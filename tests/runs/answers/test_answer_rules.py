"""An operation that the operator denies is used for nobody: not by the policy, for a person or for an agent."""

from dataclasses import replace

import pytest

from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.answers.answer_rules import (
    ANSWERING,
    PERSON,
    POLICY,
    Answerer,
    AnswerRules,
    PermissionReply,
    QuestionReply,
    RequestReply,
)
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.runs.run_record import Run

RUN = Run("/project", "ses_1", "msg_1", starter="agent")
PERMISSION = PendingRequest(
    request_id="per_1", kind="permission", session_id="ses_1", asks="", permission="bash", patterns=["ls"]
)
ALWAYS = PERMISSION.model_copy(update={"always": ["ls *"]})
QUESTION = PendingRequest(request_id="que_1", kind="question", session_id="ses_1", asks="")
EVERYBODY = (POLICY, PERSON, Answerer("agent"), Answerer("agent", person_reachable=True))
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
    request_: PendingRequest, operation: str, replies: list[RequestReply], decider: Decider
) -> None:
    answer_rules = AnswerRules(Policy(decider), denied=frozenset({operation}))
    assert answer_rules.automatic(RUN, request_) is None
    assert not answer_rules.is_for_person(RUN, request_)
    for at_hand in (True, False):
        assert not answer_rules.agent_may_answer(RUN, request_, person_reachable=at_hand)
        assert not answer_rules.agent_may_always(RUN, request_, person_reachable=at_hand)
    for by in EVERYBODY:
        for reply in replies:
            assert f"denies {operation}" in answer_rules.refusal(RUN, request_, reply, by)


@pytest.mark.parametrize("by", EVERYBODY)
def test_a_rejection_is_denied_by_the_operation_that_sends_it(by: Answerer) -> None:
    permission, question = PermissionReply("reject"), QuestionReply()
    assert AnswerRules(Policy(), denied=frozenset({"permission.reply"})).refusal(RUN, PERMISSION, permission, by)
    assert AnswerRules(Policy(), denied=frozenset({"question.reject"})).refusal(RUN, QUESTION, question, by)
    others = AnswerRules(Policy(), denied=ANSWERING - {"question.reject"})
    assert not others.refusal(RUN, QUESTION, question, by)


@pytest.mark.parametrize("by", EVERYBODY)
@ASKED
def test_what_a_token_lacks_is_named_before_any_setting(
    request_: PendingRequest, operation: str, replies: list[RequestReply], by: Answerer
) -> None:
    rules = AnswerRules(Policy("allow"), True, frozenset({operation}), missing_scope="agents:execute")
    assert rules.automatic(RUN, request_) is None
    assert "lacks the scope agents:execute" in rules.refusal(RUN, request_, replies[0], by)


@ASKED
def test_what_is_denied_for_the_other_kind_of_request_changes_nothing(
    request_: PendingRequest, operation: str, replies: list[RequestReply]
) -> None:
    others = AnswerRules(Policy("allow"), denied=ANSWERING - {operation})
    assert not others.refusal(RUN, request_, replies[0], Answerer("agent"))


@pytest.mark.parametrize("started_under", DECIDERS)
@pytest.mark.parametrize("own", DECIDERS)
def test_no_bridge_is_looser_for_a_run_than_the_one_that_started_it(own: Decider, started_under: Decider) -> None:
    run = replace(RUN, policies=(Policy(started_under),))
    stricter = max(own, started_under, key=DECIDERS.index)
    for always in (False, True):
        assert AnswerRules(Policy(own)).decider(run, ALWAYS, always=always) == stricter
    assert (AnswerRules(Policy(own)).automatic(run, PERMISSION) == "once") is (stricter == "allow")


def test_the_rules_under_which_a_run_was_started_decide_about_its_single_commands() -> None:
    rules = Policy("reject", {"bash": {"ls": "allow"}})
    run = replace(RUN, policies=(rules,))
    other = PERMISSION.model_copy(update={"patterns": ["rm -r x"]})
    for answer_rules in (AnswerRules(rules), AnswerRules(Policy("allow"))):
        assert answer_rules.automatic(run, PERMISSION) == "once"
        assert answer_rules.automatic(run, other) == "reject"
        assert answer_rules.decider(run, ALWAYS, always=True) == "reject"
    assert AnswerRules(Policy("human")).decider(run, PERMISSION) == "human"


def test_a_setting_of_another_operator_allows_no_answer_in_a_run_that_a_person_decides_about() -> None:
    trusted = AnswerRules(Policy("agent"))
    for policy, may in ((Policy("human"), False), (Policy("agent"), True)):
        run = replace(RUN, starter="person", policies=(policy,))
        assert trusted.agent_may_answer(run, QUESTION, person_reachable=False) is may


def test_a_shell_line_of_opencode_2_is_decided_by_its_commands() -> None:
    rules = AnswerRules(Policy("human", {"bash": {"git *": "allow", "rm *": "reject"}}))
    line = PERMISSION.model_copy(update={"permission": "shell", "patterns": ["git log"], "always": ["git log"]})
    assert rules.automatic(RUN, line) == "once"
    assert rules.decider(RUN, line, always=True) == "allow"
    mixed = line.model_copy(update={"patterns": ["git log && rm -r x"], "always": ["git log && rm -r x"]})
    assert rules.automatic(RUN, mixed) == "reject"
    wild = line.model_copy(update={"patterns": ["git log *.py"], "always": ["git log *.py"]})
    assert rules.automatic(RUN, wild) == "once"
    assert "always" in rules.refusal(RUN, wild, PermissionReply("always"), Answerer("agent"))
