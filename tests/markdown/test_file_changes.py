import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_mcp.diffs.diff_merge import merge_diffs
from opencode_mcp.diffs.git_diff_text import parse_raw
from opencode_mcp.markdown.file_changes import render_diff
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from tests.diffs.edited_files import diffs_of
from tests.harness.each import for_each
from tests.markdown.own_words import own_words
from tests.runs.json_of import FOREIGN, file_diffs
from tests.runs.recordings import NAMES, hold_to_golden, load

POINTER = "To see the rest of a patch, read the file."
SLACK = 400
LINES = tuple(f"line {number}\n" for number in range(1, 201))
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def row(diff: FileDiff) -> str:
    return render_diff([diff]).split("\n")[4]


def diff(file: str = "a.txt", **fields: object) -> FileDiff:
    return FileDiff.read({"file": file, "additions": 0, "deletions": 0} | fields)


@pytest.mark.parametrize("name", [name for name in NAMES if any(load(name).diffs)])
def test_what_a_recorded_session_changed_reads_as_kept(name: str) -> None:
    hold_to_golden(f"{name}.diff", render_diff(merge_diffs(load(name).diffs)))


@pytest.mark.parametrize("mode", ["git", "branch", "raw"])
def test_a_recorded_working_tree_reads_as_kept(mode: str) -> None:
    kept = load("changes")
    diffs = parse_raw(kept.raw) if mode == "raw" else kept.working_tree[mode]
    hold_to_golden(f"changes.{mode}", render_diff(diffs, limit=2000, pointer=POINTER))


def test_no_change_is_said_in_words() -> None:
    assert render_diff([]) == "No file is changed."
    assert render_diff([], author="this session") == "This session changed no file."


def test_far_lines_that_did_not_change_are_left_out() -> None:
    (diffs,) = diffs_of("a.txt", [LINES, (*LINES[:99], "new\n", *LINES[100:])])
    assert render_diff([diffs]).splitlines()[6:] == [
        "`a.txt`",
        "```diff",
        "@@ -97,7 +97,7 @@",
        *(f" line {number}" for number in (97, 98, 99)),
        "-line 100",
        "+new",
        *(f" line {number}" for number in (101, 102, 103)),
        "```",
    ]


@for_each(
    ("diff", "expected"),
    [
        (diff(), "| `a.txt` | modified, binary |  |"),
        (diff(patch="diff --git a/a b/a\nBinary files a/a and b/a differ\n"), "| `a.txt` | modified, binary |  |"),
        (diff(patch="--- a\t\n+++ a\t\n"), "| `a.txt` | modified, text unchanged |  |"),
        (diff(patch="--- a\t\n+++ a\t\n", status="added"), "| `a.txt` | added, empty |  |"),
        (
            diff(patch="old mode 100644\nnew mode 100755\n"),
            "| `a.txt` | modified, mode 100644 → 100755 |  |",
        ),
        (
            diff(patch="rename from b c.txt\nrename to a.txt\n", status="renamed"),
            "| `a.txt` | renamed, from `b c.txt` |  |",
        ),
        (
            diff(patch="--- a\t\n+++ a\t\n", additions=1200, deletions=3),
            "| `a.txt` | modified, too large for OpenCode to show | +1,200 -3 |",
        ),
        (diff("a|b.txt"), "| `a\\|b.txt` | modified, binary |  |"),
        (
            diff('q"x.txt', patch='--- "q\\"x.txt"\t\n+++ "q\\"x.txt"\t\n', additions=1),
            (
                '| `q"x.txt` | modified, not shown, since OpenCode cannot read a name with a quote, backslash or '
                "control character | +1 -0 |"
            ),
        ),
        (
            diff("n\ufffd.txt", patch="--- n\ufffd.txt\t\n+++ n\ufffd.txt\t\n", status="added"),
            "| `n\ufffd.txt` | added, not shown, since OpenCode cannot read a name that is not UTF-8 |  |",
        ),
        (
            diff(patch='rename from "b\\"c.txt"\nrename to a.txt\n', status="renamed"),
            '| `a.txt` | renamed, from `b"c.txt` |  |',
        ),
    ],
    ids=[
        "binary",
        "binary for git",
        "mode",
        "empty",
        "mode for git",
        "renamed",
        "large",
        "bar",
        "quoted",
        "not UTF-8",
        "renamed from quoted",
    ],
)
def test_what_a_patch_does_not_show_is_said(diff: FileDiff, expected: str) -> None:
    assert row(diff) == expected


def test_a_moved_file_is_known_by_its_text_and_its_patches_are_left_out() -> None:
    moved = [*diffs_of("old.txt", [LINES, None]), *diffs_of("new.txt", [None, LINES])]
    text = render_diff(moved)
    assert "| `old.txt` | deleted, moved to `new.txt` | +0 -200 |" in text
    assert "| `new.txt` | added, moved from `old.txt` | +200 -0 |" in text
    assert "```" not in text


def test_steps_that_do_not_fit_together_are_called_so() -> None:
    steps = [diffs_of("a.txt", [("x\n",), ("y\n",)]), diffs_of("a.txt", [("z\n",), ("y\n",)])]
    text = render_diff(merge_diffs(steps))
    assert "| `a.txt` | modified, in 2 steps, shown one after another | +2 -2 |" in text
    assert text.count("+y") == 2


def test_long_patches_are_cut_with_a_pointer_to_the_rest() -> None:
    text = render_diff(diffs_of("a.txt", [None, LINES]), limit=1000, pointer=POINTER)
    assert re.search(r"\n`a.txt` the first [\d,]+ of [\d,]+ characters:\n```diff\n", text)
    assert text.endswith(f"```\n\n{POINTER}")
    assert POINTER not in render_diff(diffs_of("a.txt", [None, LINES]), pointer=POINTER)


def test_a_thousand_files_are_counted_where_they_are_not_listed() -> None:
    every = [one for number in range(1000) for one in diffs_of(f"{number}.txt", [None, LINES[:30]])]
    text = render_diff(every, limit=4000, pointer=POINTER)
    assert len(text) <= 4000
    assert text.startswith("1,000 files changed, +30,000 -0\n")
    assert re.search(r"\| `(\d+)\.txt` .*\n- \d+ more files left out\n", text)
    assert re.search(r"\n- the patches of \d+ more files left out\n", text)


@patient
@given(diffs=st.lists(file_diffs, max_size=6), limit=st.integers(1000, 6000))
def test_any_diffs_render_within_the_limit(diffs: list[FileDiff], limit: int) -> None:
    text = render_diff(diffs, limit=limit, pointer=POINTER)
    assert len(text) <= limit + SLACK
    assert text.encode().strip()


@patient
@given(diffs=st.lists(file_diffs, max_size=6), limit=st.sampled_from((1000, 10**9)))
def test_nothing_in_a_diff_gets_out_of_its_fence(diffs: list[FileDiff], limit: int) -> None:
    assert not [line for line in own_words(render_diff(diffs, limit=limit)) if FOREIGN in line]
