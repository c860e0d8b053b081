"""Rules that say who may give which answer to a request; every answer must satisfy them.

Pure. ``reply_sender.py`` has found the request and its run before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from opencode_mcp.options import Decider
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.requests.permission_policy import Policy, strictest
from opencode_mcp.runs.requests.shell_policy import always_decider, asked_decider
from opencode_mcp.runs.run_record import Run

READ_ONLY = "This MCP server is read-only and answers nothing"
DENIED = "Whoever configured this MCP server denies {}"
LACKS_SCOPE = "The access token of this client lacks the scope {}, so it answers nothing"


@dataclass(frozen=True, slots=True)
class Answerer:
    """Person, agent or policy that gives an answer."""

    who: Literal["policy", "person", "agent"]
    person_reachable: bool = False
    """For an agent: whether its host could ask a person instead."""


POLICY = Answerer("policy")
PERSON = Answerer("person")


@dataclass(frozen=True, slots=True)
class PermissionReply:
    """The answer to a permission."""

    reply: Literal["once", "always", "reject"]
    message: str = ""
    """With ``reject``: what the model should do instead."""


@dataclass(frozen=True, slots=True)
class QuestionReply:
    """The answer to a question: for each of its questions the labels or own words; ``None``: it is dismissed."""

    answers: Sequence[Sequence[str]] | None = None
    whole_form: bool = field(default=False, compare=False)
    """True if they come from a form that shows all questions; see ``read_answers``."""


RequestReply = PermissionReply | QuestionReply
AUTOMATIC: Mapping[Decider, Literal["once", "reject"]] = {"allow": "once", "reject": "reject"}
"""Replies that the policy gives by itself, by decider."""


def is_rejection(reply: RequestReply) -> bool:
    """Return True if a reply rejects: it grants nothing and says nothing."""
    return reply.reply == "reject" if isinstance(reply, PermissionReply) else reply.answers is None


REPLY, ANSWER, DISMISS = "permission.reply", "question.reply", "question.reject"
ANSWERING = frozenset({REPLY, ANSWER, DISMISS})
"""The operations by which OpenCode is answered."""


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """The rules.

    Args:
        policy: The operator's.
        read_only: Whether the bridge changes nothing, and so answers nothing.
        denied: Those of ``ANSWERING`` that the operator denies. The bridge then uses them for nobody: neither by
            itself, as the policy says, nor to pass on what a person or an agent answers.
        missing_scope: Scope without which the callers answer nothing; empty if their access tokens lack none.
    """

    policy: Policy
    read_only: bool = False
    denied: frozenset[str] = frozenset()
    missing_scope: str = ""

    def closed(self, request: PendingRequest, *, reject: bool = False) -> str:
        """Explain why this bridge gives no answer, or no rejection, to a request for anybody; empty if it may."""
        if self.missing_scope:
            return LACKS_SCOPE.format(self.missing_scope)
        if self.read_only:
            return READ_ONLY
        question = DISMISS if reject else ANSWER
        operation = question if request.kind == "question" else REPLY
        return DENIED.format(operation) if operation in self.denied else ""

    def decider(self, run: Run, request: PendingRequest, *, always: bool = False) -> Decider:
        """Return who answers a request of a run. A question grants nothing, so the agent may, under any policy.

        Args:
            run: The run that it belongs to.
            request: The request.
            always: Whether the answer would also allow what ``always`` covers.
        """
        if request.kind == "question":
            return "agent"
        policies = self._policies_for(run)
        decider = strictest(
            asked_decider(policy, request.permission, request.patterns, run.caller_limit) for policy in policies
        )
        if not always:
            return decider
        return strictest(always_decider(policy, request.permission, request.always, decider) for policy in policies)

    def _policies_for(self, run: Run) -> list[Policy]:
        """Return the operator's policy, and those under which the run was started: the strictest of them holds."""
        return [self.policy, *run.policies]

    def automatic(self, run: Run, request: PendingRequest) -> Literal["once", "reject"] | None:
        """Return the reply that the policy gives by itself; ``None`` if it leaves the request to somebody."""
        return None if self.closed(request) else AUTOMATIC.get(self.decider(run, request))

    def is_for_person(self, run: Run, request: PendingRequest) -> bool:
        """Return True if a request is put to a person, provided that one can be asked."""
        is_persons = request.kind == "question" or self.decider(run, request) == "human"
        return is_persons and not self.closed(request)

    def agent_may_answer(self, run: Run, request: PendingRequest, *, person_reachable: bool) -> bool:
        """Return True if an agent may give an answer other than a rejection."""
        return not self.closed(request) and self._agent_may(run, request, person_reachable=person_reachable)

    def agent_may_always(self, run: Run, request: PendingRequest, *, person_reachable: bool) -> bool:
        """Return True if an agent may answer ``always``."""
        by = Answerer("agent", person_reachable=person_reachable)
        return not self.closed(request) and self._may(run, request, by, always=True)

    def refusal(self, run: Run, request: PendingRequest, reply: RequestReply, by: Answerer) -> str:
        """Explain why an answer may not be given; empty if it may.

        Everybody may reject: that grants nothing, and ends the wait.
        """
        if closed := self.closed(request, reject=is_rejection(reply)):
            return f"{closed}."
        if is_rejection(reply):
            return ""
        always = isinstance(reply, PermissionReply) and reply.reply == "always"
        if self._may(run, request, by, always=always):
            return ""
        if always and self._may(run, request, by):
            covered = ", ".join(request.always)
            return f'"always" would also allow {covered}, which the policy does not leave to you. Answer "once".'
        if self.decider(run, request, always=always) == "reject":
            return "The permission policy of this MCP server refuses this permission."
        return f"Only a person may answer this {request.kind}."

    def _may(self, run: Run, request: PendingRequest, by: Answerer, *, always: bool = False) -> bool:
        decider = self.decider(run, request, always=always)
        match by.who:
            case "policy":
                return decider == "allow"
            case "person":
                return decider != "reject"
            case "agent":
                allowed = decider == "allow"
                return allowed or self._agent_may(run, request, person_reachable=by.person_reachable, always=always)

    def _agent_may(self, run: Run, request: PendingRequest, *, person_reachable: bool, always: bool = False) -> bool:
        """Return True if an agent may answer; what a person decides, only if an agent alone started the run.

        OpenCode keeps ``always`` for every session, also for those that persons started, so who started this run says
        nothing about it: only the policy of the operator can leave it to an agent.
        """
        if request.kind == "question":
            return self._agent_may_answer_question(run, person_reachable=person_reachable)
        decider = self.decider(run, request, always=always)
        alone = run.starter == "agent" and not person_reachable and not always
        return decider == "agent" or (decider == "human" and alone)

    def _agent_may_answer_question(self, run: Run, *, person_reachable: bool) -> bool:
        """Return True if an agent may answer questions; of a run started elsewhere, only if the operator allows it."""
        if strictest(policy.decider("question", []) for policy in self._policies_for(run)) in {"allow", "agent"}:
            return True
        return run.starter == "agent" or (run.starter == "person" and person_reachable)
