from hypothesis import given

from opencode_mcp.diffs.diff_merge import merge_diffs
from opencode_mcp.diffs.patches import count, parse
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from tests.diffs.edited_files import Content, apply, diffs_of, histories


def diff(file: str, patch: str = "", **fields: object) -> FileDiff:
    return FileDiff.read({"file": file, "patch": patch, "additions": 1, "deletions": 1} | fields)


def test_what_one_prompt_changed_stays_as_it_is() -> None:
    merged = [diff("a", "whatever"), diff("b")]
    assert merge_diffs([[], merged, []]) == merged


def test_a_file_that_was_made_and_removed_again_is_not_reported() -> None:
    assert merge_diffs([diffs_of("a", [None, ("x\n",), None])]) == []


def test_a_file_that_is_as_it_was_is_not_reported() -> None:
    assert merge_diffs([[step] for step in diffs_of("a", [("x\n",), ("y\n",), ("z\n",), ("x\n",)])]) == []


def test_a_file_whose_lines_moved_and_came_back_is_not_reported() -> None:
    whole = tuple(
        f"{line}\n" for line in ["two", "three", "two", "two", "one", "one", "two", "one", "two", "three", "two"]
    )
    assert merge_diffs([[step] for step in diffs_of("a", [whole, ("one\n", "three\n", "one"), whole])]) == []


def test_a_file_that_was_removed_and_made_anew_is_modified() -> None:
    (merged,) = merge_diffs([[step] for step in diffs_of("a", [("x\n",), None, ("y\n",)])])
    assert (merged.status, merged.additions, merged.deletions) == ("modified", 1, 1)


def test_an_empty_file_that_was_filled_is_added() -> None:
    (merged,) = merge_diffs([[step] for step in diffs_of("a", [None, (), ("x\n",)])])
    assert (merged.status, merged.additions, merged.deletions) == ("added", 1, 0)


def test_patches_that_do_not_fit_together_follow_one_another() -> None:
    """Somebody else changed the file between two prompts."""
    (one,), (other,) = diffs_of("a", [("x\n",), ("y\n",)]), diffs_of("a", [("z\n",), ("y\n",)])
    (merged,) = merge_diffs([[one], [other]])
    assert merged.patch == one.patch + other.patch
    assert (merged.status, merged.additions, merged.deletions) == ("modified", 2, 2)


def test_a_binary_file_stays_without_a_patch() -> None:
    steps = [[diff("a", status="added", additions=0, deletions=0)], [diff("a", additions=0, deletions=0)]]
    (merged,) = merge_diffs(steps)
    assert (merged.status, merged.patch, merged.additions) == ("added", "", 0)


def test_files_come_in_the_order_in_which_they_were_first_changed() -> None:
    assert [merged.file for merged in merge_diffs([[diff("b")], [diff("a"), diff("b")], [diff("c")]])] == [
        "b",
        "a",
        "c",
    ]


@given(history=histories)
def test_the_whole_leads_from_the_first_state_to_the_last(history: list[Content]) -> None:
    first, last = history[0], history[-1]
    merged = merge_diffs([[step] for step in diffs_of("a", history)])
    if first == last:
        assert merged == []
        return
    assert [one.status for one in merged] == ["added" if first is None else "deleted" if last is None else "modified"]
    assert apply(merged[0].patch, first or ()) == (last or ())


@given(history=histories, other=histories)
def test_the_totals_are_those_of_the_patches(history: list[Content], other: list[Content]) -> None:
    merged = merge_diffs([diffs_of("a", history), [*diffs_of("b", other), *diffs_of("a", history[::-1])]])
    edits = [edit for one in merged for hunk in parse(one.patch).hunks for edit in hunk.edits]
    assert sum(one.additions for one in merged) == count(edits, "+")
    assert sum(one.deletions for one in merged) == count(edits, "-")
