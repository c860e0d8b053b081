"""Sessions at a glance over stdio: outcome, cost, forks, what is undone, and what two sessions changed."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.integration.host import Host, Json
from tests.scripted_model.script import bash, failure, script, step, structured, text, usage, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

TITLE_COST = 0.001
"""Most US dollars that the request for a title costs, which OpenCode 2 counts with the session."""


def about(cost: float, expected: float, generation: Generation) -> bool:
    """Return True if a cost is as expected, with the request for a title on OpenCode 2."""
    return cost == pytest.approx(expected) or (generation == 2 and expected < cost < expected + TITLE_COST)


async def rows_of(host: Host, title: str) -> dict[str, Json]:
    """Return the rows of the latest sessions whose titles begin so.

    A search would miss those that OpenCode 2 names again. A busy machine does not read the ends of a hundred in time.
    """
    listed = await host.data("opencode_list_sessions", limit=20)
    return {row["session_id"]: row for row in listed["sessions"] if row.get("title", "").startswith(title)}


async def each_says_which_session_changed_which_file(host: Host, directory: Path, sessions: dict[str, str]) -> None:
    """Look at the list of sessions and at the working tree, each in one call.

    Args:
        host: Calls the tools.
        directory: The project.
        sessions: The only session that changed each file.
    """
    listed = await host.data("opencode_list_sessions", directory=str(directory), limit=20)
    rows = {row["session_id"]: row.get("files", []) for row in listed["sessions"]}
    assert {file: [file] for file in sessions} == {
        file: [changed["path"] for changed in rows[session_id]] for file, session_id in sessions.items()
    }
    tree = await host.data("opencode_diff", directory=str(directory), files=list(sessions))
    authors = {file["path"]: [one["session_id"] for one in file["sessions"]] for file in tree["files"]}
    assert authors == {file: [session_id] for file, session_id in sessions.items()}
    assert all(f"- {session_id} " in tree["note"] for session_id in sessions.values())


async def test_a_fork_counts_only_its_own_part(
    host: Host, tracked: Path, case: str, opencode_generation: Generation
) -> None:
    made, forked, title = f"source-{case}.txt", f"forked-{case}.txt", f"Source {case}"
    source = await host.run(
        step(write(made, "one\n"), usage(input=1000, output=10)),
        step(text("Made."), usage(input=1000, output=10)),
        directory=str(tracked),
        title=title,
    )
    result = await host.bridge.call("opencode_fork", session_id=source["session_id"])
    assert result.structured_content is not None
    fork = str(result.structured_content["session_id"])
    assert "works on the same files" in str(result.content[0])
    await host.run(
        step(write(forked, "two\n"), usage(input=300, output=0)),
        step(text("Forked."), usage(input=100, output=0)),
        session_id=fork,
    )
    rows = await rows_of(host, title)
    assert rows[fork]["cost"] == pytest.approx(0.0004)
    assert rows[fork]["forked_from"] == source["session_id"]
    seen = await host.data("opencode_session", session_id=fork, limit=0)
    assert (seen["cost"], seen["forked_from"]) == (pytest.approx(0.0004), source["session_id"])
    assert about(rows[source["session_id"]]["cost"], 0.00204, opencode_generation)
    totals = (await host.data("opencode_list_sessions", search=title, limit=1))["totals"]
    assert (totals["sessions"], totals["complete"]) == (2, True)
    assert about(totals["cost"], 0.00244, opencode_generation)

    await each_says_which_session_changed_which_file(host, tracked, {made: source["session_id"], forked: fork})

    changed = await host.data("opencode_diff", session_id=fork)
    assert [file["path"] for file in changed["files"]] == [forked]
    compared = await host.data("opencode_diff", session_id=source["session_id"], compare_with=fork)
    assert {file["path"]: file["compared"] for file in compared["files"]} == {forked: "only_other"}
    assert f"Before the fork, {source['session_id']} had changed {made}, which both sessions have." in compared["note"]
    assert "+one" not in compared["diff"]
    assert "+two" in compared["diff"]
    same = await host.text("opencode_diff", session_id=fork, compare_with=fork)
    assert f"Changed in the same way: {forked}" in same
    assert "No file is changed" not in same
    assert "On disk" not in same
    none = await host.text("opencode_diff", session_id=fork, compare_with=source["session_id"], files=["none.txt"])
    assert none.endswith(f"Neither {fork} nor {source['session_id']} changed a file that `files` names since the fork.")


async def test_an_undone_session_says_so_wherever_it_is_shown(host: Host, tracked: Path, case: str) -> None:
    file, title = f"undone-2-{case}.txt", f"Undone {case}"
    first = await host.run(text("First answer."), directory=str(tracked), title=title)
    session_id = first["session_id"]
    second = await host.run(write(file, "one\n"), text("Second answer."), session_id=session_id)
    refused = await host.error("opencode_revert", session_id=session_id)
    assert f'message_id="{second["message_id"]}"' in refused, "the latest prompt is named"

    undone = await host.data("opencode_revert", session_id=session_id, message_id=second["message_id"])
    assert "as they were before that prompt" in undone["note"]
    assert not (tracked / file).exists()
    assert (await rows_of(host, title))[session_id]["outcome"] == "undone"
    seen = await host.data("opencode_session", session_id=session_id, show="conversation")
    heads = [line for line in seen["transcript"].splitlines() if line.startswith("### ")]
    assert ["undone" in head for head in heads] == [False, False, True, True]
    waited = await host.wait(session_id)
    assert "does not count" in waited["note"]
    assert "restore=true" in waited["note"]
    both = await host.data("opencode_wait", session_ids=[session_id])
    assert "does not count" in both["note"]
    before = await host.wait(session_id, message_id=first["message_id"])
    assert "note" not in before, "an earlier run still counts"

    fork = await host.data("opencode_fork", session_id=session_id)
    seen = await host.data("opencode_session", session_id=fork["session_id"])
    assert "First answer." in seen["transcript"]
    assert "Second answer." not in seen["transcript"]
    again = await host.run(text("Third answer."), session_id=session_id)
    assert "note" not in again
    assert (await rows_of(host, title))[session_id]["outcome"] == "completed"


async def test_an_undo_that_would_lose_renamed_files_is_refused(host: Host, tracked: Path, case: str) -> None:
    old, new = f"old-{case}.txt", f"new-{case}.txt"
    (tracked / old).write_text("one\n" * 20, encoding="utf-8")
    report = await host.run(bash(f"mv {old} {new}"), text("Renamed."), directory=str(tracked))
    point = {"session_id": report["session_id"], "message_id": report["message_id"]}
    refused = await host.error("opencode_revert", **point)
    assert f"moved or renamed {old}. " in refused
    assert f'prompt="Undo your own changes of {old} by hand."' in refused
    assert (tracked / new).exists(), "nothing was undone"
    (tracked / new).rename(tracked / old)
    await host.data("opencode_revert", **point)
    assert (tracked / old).exists()


async def test_an_undo_that_would_lose_a_renamed_file_is_refused_if_its_name_is_used_again(
    host: Host, tracked: Path, case: str
) -> None:
    old, new = f"reused-{case}.txt", f"moved-{case}.txt"
    (tracked / old).write_text("one\n" * 20, encoding="utf-8")
    report = await host.run(bash(f"mv {old} {new}"), text("Renamed."), directory=str(tracked))
    session_id = report["session_id"]
    await host.run(bash(f"echo other > {old}"), text("Made again."), session_id=session_id)
    refused = await host.error("opencode_revert", session_id=session_id, message_id=report["message_id"])
    assert f"moved or renamed {old}. " in refused
    assert (tracked / new).exists(), "nothing was undone"


async def test_the_list_shows_how_each_run_ended_and_how_its_prompt_begins(
    host: Host, workplace: Path, asking: Path, case: str
) -> None:
    title = f"Outcomes {case}"
    good = await host.data(
        "opencode_run", prompt=script(text("Done."), say="Sweep the floor"), directory=str(workplace), title=title
    )
    bad = await host.run(failure(401), directory=str(workplace), title=title)
    asked = await host.run(bash("echo asked"), directory=str(asking), title=title, wait_seconds=20)
    rows = await rows_of(host, title)
    outcomes = {"completed": good, "failed": bad, "needs_input": asked}
    assert {name: rows[report["session_id"]]["outcome"] for name, report in outcomes.items()} == {
        name: name for name in outcomes
    }
    assert rows[good["session_id"]]["prompt"].startswith("Sweep the floor")
    await host.data("opencode_abort", session_id=asked["session_id"])
    assert (await rows_of(host, title))[asked["session_id"]]["outcome"] == "aborted"
    seen = await host.data("opencode_session", session_id=good["session_id"], limit=0)
    assert seen["last_run"]["outcome"] == "completed"
    assert seen["last_run"]["seconds"] > 0
    assert seen["last_run"]["prompt"].startswith("Sweep the floor")
    output = await host.text("opencode_session", session_id=bad["session_id"], limit=0)
    assert "Last run: failed after " in output
    line = next(
        line for line in (await host.text("opencode_list_sessions")).splitlines() if line.startswith(good["session_id"])
    )
    assert " · completed · " in line
    resource = await host.bridge.client.read_resource("opencode://sessions")
    assert '"outcome": "completed"' in str(getattr(resource.contents[0], "text", ""))


async def test_a_run_whose_answer_breaks_its_schema_is_listed_as_failed_with_its_prompt(
    host: Host, workplace: Path, case: str, opencode_generation: Generation
) -> None:
    title, schema = f"Schema {case}", {"type": "object", "properties": {"n": {"type": "integer"}}}
    # OpenCode 2 gets the schema as text, and the script's second step is the answer to the request for a correction.
    many = structured({"n": "many"}) if opencode_generation == 1 else text('{"n": "many"}')
    asked = script(many, *([] if opencode_generation == 1 else [text("Many.")]), say="Count the files")
    report = await host.data("opencode_run", prompt=asked, output_schema=schema, directory=str(workplace), title=title)
    assert report["status"] == "failed"
    row = (await rows_of(host, title))[report["session_id"]]
    assert row["outcome"] == "failed"
    assert row["prompt"].startswith("Count the files")


async def test_two_versions_of_a_file_are_compared_with_the_one_on_disk(host: Host, tracked: Path, case: str) -> None:
    file = f"versions-{case}.txt"
    first = await host.run(write(file, "one\n"), text("One."), directory=str(tracked), title=f"One {case}")
    second = await host.run(write(file, "two\n"), text("Two."), directory=str(tracked), title=f"Two {case}")
    pair = {"session_id": first["session_id"], "compare_with": second["session_id"]}
    output = await host.text("opencode_diff", **pair)
    assert f"On disk is the version of {second['session_id']}: {file}" in output
    assert "No file is changed" not in output
    (tracked / file).write_text("three\n", encoding="utf-8")
    (row,) = (await host.data("opencode_diff", **pair))["files"]
    assert (row["path"], row["compared"], row["on_disk"]) == (file, "different", "neither")
    (tracked / file).unlink()


async def test_a_title_and_an_empty_schema_are_refused_where_they_would_be_ignored(
    host: Host, workplace: Path, case: str
) -> None:
    report = await host.run(text("Said."), directory=str(workplace), title=f"Titled {case}")
    session_id = report["session_id"]
    error = await host.error("opencode_wait", session_id=session_id, message_id="the first one")
    assert f"has no prompt 'the first one'. Its latest is {report['message_id']}." in error
    error = await host.error("opencode_run", prompt="x", session_id=session_id, title="Another")
    assert "opencode_update_session renames" in error
    assert "must describe an object" in await host.error("opencode_run", prompt="x", output_schema={})
    for arguments in ({"title": ""}, {"title": " ", "archived": True}):
        assert "The title is empty" in await host.error("opencode_update_session", session_id=session_id, **arguments)
    assert session_id in await rows_of(host, f"Titled {case}"), "nothing was done"
    listed = await host.text("opencode_update_session", session_id=session_id, title=f"Done {case}", archived=True)
    assert f'is archived, so lists leave it out, and renamed from "Titled {case}" to "Done {case}"' in listed
