"""Messages of a later OpenCode 2 are read as those of this one, in all that decides how a run ended."""

from opencode_mcp.opencode.v2.event_parsing.event_parser import EventParser2
from opencode_mcp.opencode.vocabulary.backend_events import Event, Idle, PermissionAsked
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.outcome.answer_summary import visible_text
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.text.json_values import as_list, as_map
from tests.harness.each import for_each
from tests.harness.opencode2.newer.release import Release
from tests.opencode.v2.events import line
from tests.opencode.v2.lists import SESSION, call, idle, prompt, read, said, step, stopped_step, verdict

SEEDS = range(3000, 3100)
"""The same releases as in ``tests/integration/outages/test_newer_opencode2.py``."""
DONE = {"status": "completed", "input": {"command": "ls"}, "content": [{"type": "text", "text": "a"}]}
FAILED = {"type": "provider.no-route", "message": "Model unavailable"}
CONVERSATION = [
    prompt(1),
    step(2, "tool-calls", said("Look."), call("shell", DONE)),
    step(3, "stop", said("Done.")),
    idle(4),
    prompt(5),
    stopped_step(6),
    idle(7, "interrupted"),
    prompt(8),
    idle(9, "failed", error=FAILED),
    prompt(10),
    step(11, "", said("Begun.")),
]
"""Runs with every outcome, and one that goes on."""
ENDS = ("session.execution.succeeded", "session.execution.failed", "session.execution.interrupted")


def facts(messages: list[Message]) -> list[tuple[str, str, str, str, bool, str]]:
    """Return what decides about runs: ids, prompts, texts, ends and errors."""
    return [
        (
            message.info.id,
            message.info.role,
            message.info.parent_id,
            visible_text(message),
            message.info.ended,
            message.info.error.text if message.info.error else "",
        )
        for message in messages
        if not message.info.id.startswith("later_")
    ]


def verdicts(messages: list[Message]) -> list[tuple[State, list[str]]]:
    """Return the state of each run."""
    return [verdict(messages, f"msg_{number:03}") for number in (1, 5, 8, 10)]


@for_each("seed", SEEDS)
def test_messages_of_a_later_release_show_the_same_runs(seed: int) -> None:
    page = Release(seed).reply(f"/api/session/{SESSION}/message", {"data": CONVERSATION})
    messages, expected = read(*as_list(as_map(page).get("data"))), read(*CONVERSATION)
    assert facts(messages) == facts(expected)
    assert verdicts(messages) == verdicts(expected)


@for_each("seed", SEEDS)
def test_events_of_a_later_release_are_read_or_left_out(seed: int) -> None:
    release, parser = Release(seed), EventParser2()

    def send(kind: str, **data: object) -> list[Event]:
        sent = line(kind, {"sessionID": SESSION, **data})
        lines = [text.removeprefix("data:") for text in release.line(f"data: {sent}") if text.startswith("data:")]
        return [event for text in lines for event in parser.parse(text)]

    def is_kept(kind: str) -> bool:
        return any(f'"type": "{kind}"' in text for text in release.line(f"data: {line(kind, {})}"))

    send("session.execution.started")
    send("session.step.started", assistantMessageID="msg_002")
    asked = send("permission.asked", id="per_1", action="shell", resources=["ls"])
    if is_kept("permission.asked"):
        assert [event.permission.id for event in asked if isinstance(event, PermissionAsked)] == ["per_1"]
    for kind in ENDS:
        ended = send(kind)
        if is_kept(kind):
            assert any(isinstance(event, Idle) for event in ended)
