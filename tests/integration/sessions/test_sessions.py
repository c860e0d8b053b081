"""Finding sessions and reading them over stdio."""

import re
from pathlib import Path

import pytest

from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host, Json
from tests.scripted_model.script import (
    bash,
    hold,
    reasoning,
    script,
    step,
    structured,
    task,
    text,
    todos,
    tool,
    usage,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

MESSAGE = re.compile(r"^### .*(msg_\w+)", re.MULTILINE)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


async def pages_of(host: Host, session_id: str, limit: int, **arguments: object) -> list[Json]:
    """All pages of a session, the latest first."""
    pages = [await host.data("opencode_session", session_id=session_id, limit=limit, **arguments)]
    while pages[-1]["cursor"]:
        cursor = pages[-1]["cursor"]
        pages.append(await host.data("opencode_session", session_id=session_id, limit=limit, cursor=cursor))
    return pages


def message_ids(page: Json) -> list[str]:
    return MESSAGE.findall(page["transcript"])


async def test_a_session_reports_its_state_and_what_was_said(host: Host, workplace: Path, case: str) -> None:
    name = f"looked-at-{case}.txt"
    report = await host.run(
        step(reasoning("Two things to do."), write(name, "one\n")),
        step(text("Written."), usage(input=1000, output=100)),
        title="A session to read",
    )
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert (seen["status"], seen["title"], seen["directory"]) == ("idle", "A session to read", str(workplace))
    assert "Written." in seen["transcript"]
    assert re.search(rf'write\((filePath|path)="{name}"', seen["transcript"])
    assert "- thought: 17 characters" in seen["transcript"], "reasoning is folded away"
    assert seen["cursor"] == ""

    detailed = await host.data("opencode_session", session_id=report["session_id"], show="everything")
    assert "- thought → `Two things to do.`" in detailed["transcript"]
    said = await host.data("opencode_session", session_id=report["session_id"], show="conversation")
    assert "Written." in said["transcript"]
    assert not [word for word in ("write(", "thought") if word in said["transcript"]]
    done = await host.data("opencode_session", session_id=report["session_id"], show="tools")
    assert re.search(rf'write\((filePath|path)="{name}"', done["transcript"])
    assert "Written." not in done["transcript"]


async def test_messages_are_found_behind_those_that_are_not_shown(
    host: Host, opencode_server: OpenCode, workplace: Path
) -> None:
    async with backend(opencode_server, workplace) as opencode:
        session_id = await opencode.create_session("Quiet")
        await opencode.notes(session_id, *(f"note {number}" for number in range(7)))
    none = await host.data("opencode_session", session_id=session_id, limit=2, show="tools")
    assert (none["transcript"], none["cursor"]) == ("These messages have no tool calls.", "")
    some = await host.data("opencode_session", session_id=session_id, limit=2, show="conversation")
    assert len(message_ids(some)) == 2
    assert some["cursor"]


async def test_a_session_reports_its_cost_and_tokens(host: Host) -> None:
    report = await host.run(step(text("Written."), usage(input=1000, output=100)), title="A session that costs")
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert seen["cost"] == pytest.approx(report["cost"])
    assert seen["tokens"]["input"] == 1000


async def test_a_session_reports_its_todos(host: Host) -> None:
    report = await host.run(todos(("Write", "completed"), ("Rest", "pending")), text("Listed."))
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert seen["todos"] == ["[x] Write", "[ ] Rest"]


async def test_the_state_alone_can_be_asked_for(host: Host) -> None:
    report = await host.run(text("Said."))
    seen = await host.data("opencode_session", session_id=report["session_id"], limit=0)
    assert (seen["status"], seen["transcript"]) == ("idle", "")


async def test_subagents_are_shown_within_and_named_with_their_session(host: Host) -> None:
    report = await host.run(task(script(text("By the child."))), text("All is done."))
    seen = await host.data("opencode_session", session_id=report["session_id"])
    (child,) = seen["children"]
    assert child["session_id"] in seen["transcript"]
    assert re.search(r"^> By the child\.$", seen["transcript"], re.MULTILINE)
    below = await host.data("opencode_session", session_id=child["session_id"])
    assert below["parent"] == report["session_id"]


async def test_a_failed_call_shows_its_error(host: Host) -> None:
    report = await host.run(tool("read", filePath="none.txt"), text("It was not there."))
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert "failed" in seen["transcript"]


@pytest.mark.either_era
async def test_a_session_at_work_shows_what_it_asks(host: Host, asking: Path) -> None:
    report = await host.run(bash("echo asked"), directory=str(asking), wait_seconds=20)
    session_id = report["session_id"]
    assert report["status"] == "needs_input"
    seen = await host.data("opencode_session", session_id=session_id)
    assert seen["status"] == "needs_input"
    assert seen["pending"][0]["request_id"] == report["pending"][0]["request_id"]
    assert f'opencode_wait(session_id="{session_id}")' in seen["next"]
    assert f'opencode_reply_permission(request_id="{seen["pending"][0]["request_id"]}"' in seen["next"]
    assert "echo asked" in await host.text("opencode_session", session_id=session_id)
    await host.data("opencode_abort", session_id=session_id)


async def test_pages_of_a_transcript_joined_are_the_whole_though_more_is_said_meanwhile(
    host: Host, opencode_server: OpenCode, workplace: Path
) -> None:
    async with backend(opencode_server, workplace) as opencode:
        session_id = await opencode.create_session("Long")
        await opencode.notes(session_id, *(f"note {number}" for number in range(23)))
        first = await host.data("opencode_session", session_id=session_id, limit=5)
        late = await opencode.notes(session_id, "said later")
        rest = await host.data("opencode_session", session_id=session_id, limit=50, cursor=first["cursor"])
        every = await opencode.message_ids(session_id)

    assert message_ids(rest) + message_ids(first) == every[: -len(late)]
    assert "said later" not in rest["transcript"]
    pages = await pages_of(host, session_id, 7)
    assert [name for page in reversed(pages) for name in message_ids(page)] == every
    assert "todos" not in pages[1], "only the first page tells the state"


async def test_pages_of_a_transcript_in_letters_of_several_bytes_are_each_whole(host: Host) -> None:
    report = await host.run(text("日本語" * 3000))
    for number in range(3):
        report = await host.run(text(f"{number}: " + "漢字" * 3000), session_id=report["session_id"])
    seen: list[str] = []
    page = {"cursor": ""}
    while page["cursor"] or not seen:
        page = await host.data(
            "opencode_session", session_id=report["session_id"], limit=4, show="everything", cursor=page["cursor"]
        )
        assert "left_out" not in page
        seen.append(page["transcript"])
    assert all(any(f"{number}: 漢字" in transcript for transcript in seen) for number in range(3))


@pytest.mark.both_generations
async def test_a_wrong_cursor_and_an_unknown_session_are_reported(host: Host) -> None:
    report = await host.run(text("Said."))
    other = await host.run(text("Said elsewhere."))
    page = await host.data("opencode_session", session_id=other["session_id"], limit=1)
    assert page["cursor"]
    error = await host.error("opencode_session", session_id=report["session_id"], cursor=page["cursor"])
    assert f"is not from {report['session_id']}. Leave it out for the latest messages." in error
    assert "The cursor 'abc'" in await host.error("opencode_session", session_id=report["session_id"], cursor="abc")
    assert "opencode_list_sessions" in await host.error("opencode_session", session_id="ses_none")
    assert "is not a session id" in await host.error("opencode_session", session_id="none")


async def test_a_structured_prompt_does_not_make_its_session_unreadable(host: Host) -> None:
    first = await host.run(text("Before."))
    session_id = first["session_id"]
    await host.run(structured({"a": 1}), session_id=session_id, output_schema=SCHEMA)
    await host.run(text("After."), session_id=session_id)
    joined = "\n".join(page["transcript"] for page in reversed(await pages_of(host, session_id, 20)))
    assert [joined.index(said) for said in ("Before.", '{"a": 1}', "After.")] == sorted(
        joined.index(said) for said in ("Before.", '{"a": 1}', "After.")
    )


async def test_a_session_that_began_with_a_structured_prompt_says_what_cannot_be_shown(host: Host) -> None:
    report = await host.run(structured({"a": 1}), output_schema=SCHEMA)
    pages = await pages_of(host, report["session_id"], 20)
    assert '{"a": 1}' in pages[0]["transcript"]
    assert "cannot show. It began with `" in pages[-1]["transcript"]


# The list


async def test_sessions_are_listed_with_what_each_is_doing(
    host: Host, workplace: Path, era: str, scripted_model: ScriptedModel
) -> None:
    gate = f"listed at work {era}"
    working = await host.start(hold(gate), text("Done."), title="Working hard")
    await scripted_model.reached(gate)
    listed = await host.data("opencode_list_sessions", directory=str(workplace), search="Working hard")
    row = listed["sessions"][0]
    assert (row["session_id"], row["status"], row["title"]) == (working, "running", "Working hard")
    running = await host.data("opencode_list_sessions", running=True)
    assert working in {row["session_id"] for row in running["sessions"]}
    assert {row["status"] for row in running["sessions"]} <= {"running", "needs_input"}

    await scripted_model.release(gate)
    assert (await host.wait(working))["status"] == "completed"
    after = await host.data("opencode_list_sessions", running=True, search="Working hard")
    assert working not in {row["session_id"] for row in after["sessions"]}


async def test_pages_of_sessions_joined_are_the_whole_though_sessions_come_meanwhile(
    host: Host, opencode_server: OpenCode, workplace: Path, era: str
) -> None:
    title = f"Paged {era}"
    async with backend(opencode_server, workplace) as opencode:
        made = [await opencode.create_session(f"{title} {number}") for number in range(11)]
        first = await host.data("opencode_list_sessions", search=title, limit=4)
        await opencode.create_session(f"{title} late")
        rest: list[str] = []
        cursor = first["cursor"]
        while cursor:
            page = await host.data("opencode_list_sessions", search=title, limit=4, cursor=cursor)
            rest += [row["session_id"] for row in page["sessions"]]
            cursor = page["cursor"]
    assert [row["session_id"] for row in first["sessions"]] + rest == made[::-1]


async def test_sessions_of_one_millisecond_are_not_lost_between_two_pages(
    host: Host, opencode_server: OpenCode, workplace: Path, era: str
) -> None:
    title, moment = f"Together {era}", 1_700_000_000_000
    async with backend(opencode_server, workplace) as opencode:
        made = {await opencode.create_session(f"{title} {number}") for number in range(6)}
        for session_id in made:
            await opencode.set_metadata(session_id, {"at": moment})
    found: list[str] = []
    cursor = ""
    while True:
        page = await host.data("opencode_list_sessions", search=title, limit=1, cursor=cursor)
        found += [row["session_id"] for row in page["sessions"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert sorted(found) == sorted(made)


async def test_only_sessions_that_changed_since_are_listed(
    host: Host, opencode_server: OpenCode, workplace: Path, era: str
) -> None:
    title = f"Since {era}"
    async with backend(opencode_server, workplace) as opencode:
        old = await opencode.create_session(f"{title} old")
        changed = (await opencode.session(old))["time"]["updated"]

        async def later() -> str:
            session_id = await opencode.create_session(f"{title} new")
            session = await opencode.session(session_id)
            return session_id if session["time"]["updated"] > changed else ""

        new = await eventually(later)
        since = (await opencode.session(new))["time"]["updated"] / 1000
    from datetime import UTC, datetime

    listed = await host.data(
        "opencode_list_sessions", search=title, since=datetime.fromtimestamp(since, UTC).isoformat()
    )
    assert [row["session_id"] for row in listed["sessions"]] == [new]
    assert len((await host.data("opencode_list_sessions", search=title, since="1h"))["sessions"]) >= 2
    today = await host.text("opencode_list_sessions", search=title, since="today")
    assert " A session counts with its whole cost, also for what it did before 20" in today
    assert "is not a time" in await host.error("opencode_list_sessions", since="soon")


async def test_sessions_of_subagents_are_listed_only_when_asked_for(host: Host, era: str) -> None:
    report = await host.run(
        task(script(text("Below.")), description=f"Below {era}"), text("Done."), title=f"Above {era}"
    )
    (child,) = report["children"]
    roots = await host.data("opencode_list_sessions", search=era, limit=100)
    assert child not in {row["session_id"] for row in roots["sessions"]}
    every = await host.data("opencode_list_sessions", search=f"Below {era}", roots_only=False, limit=100)
    rows = {row["session_id"]: row for row in every["sessions"]}
    assert rows[child]["parent"] == report["session_id"]


async def test_sessions_outside_of_the_allowed_directories_are_neither_listed_nor_read(
    host: Host, opencode_server: OpenCode, tmp_path: Path
) -> None:
    elsewhere = make_project(tmp_path)
    async with backend(opencode_server, elsewhere) as opencode:
        hidden = await opencode.create_session("Hidden elsewhere")
    listed = await host.data("opencode_list_sessions", search="Hidden elsewhere")
    assert listed["sessions"] == []
    assert "outside of what is allowed" in await host.error("opencode_session", session_id=hidden)
    assert "outside of what is allowed" in await host.error("opencode_diff", session_id=hidden)


async def test_no_session_and_a_wrong_cursor_are_reported(host: Host) -> None:
    assert await host.text("opencode_list_sessions", search="no session has this title") == (
        "No session fits. A search looks at titles only. Without search=..., the list shows how each last prompt began."
    )
    assert "cursor" in await host.error("opencode_list_sessions", cursor="12")
