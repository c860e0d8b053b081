from hypothesis import given

from opencode_mcp.diffs.patches import Hunk, compose, count, lines_of, parse, shorten_hunk, write
from tests.diffs.edited_files import apply, contents, edits_between

FILE = [f"line {number}\n" for number in range(1, 101)]


def changed(*places: int) -> list[str]:
    return [f"new {line}" if number in places else line for number, line in enumerate(FILE, 1)]


def test_lines_that_look_like_headers_belong_to_their_hunk() -> None:
    text = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n z\n"
    patch = parse(text)
    assert patch.header == ["--- a", "+++ b"]
    assert patch.hunks == [Hunk(1, 1, [("-", "-- x\n"), ("+", "++ y\n"), (" ", "z\n")])]


def test_a_hunk_that_names_no_length_is_of_one_line() -> None:
    assert parse("@@ -1 +1 @@\n-a\n+b\n c\n").hunks[0].edits == [("-", "a\n"), ("+", "b\n")]


def test_a_line_number_of_any_length_is_read() -> None:
    assert parse(f"@@ -{'9' * 5000} +1 @@\n-a\n+b\n").hunks == []


def test_a_patch_that_ends_too_early_gives_what_it_has() -> None:
    assert parse("@@ -1,5 +1,5 @@\n a\n-b").hunks[0].edits == [(" ", "a\n"), ("-", "b\n")]


def test_unchanged_lines_far_from_a_change_are_left_out() -> None:
    (far, near) = shorten_hunk(Hunk(1, 1, edits_between(FILE, changed(10, 50, 56))))
    assert (far.old_start, far.new_start, len(far.edits)) == (7, 7, 8)
    assert (near.old_start, near.new_start, len(near.edits)) == (47, 47, 15)


def test_a_change_after_another_starts_from_it_or_gives_nothing() -> None:
    assert compose([("+", "a\n")], [(" ", "b\n")]) is None
    assert compose([("+", "a\n")], [(" ", "a\n"), ("+", "b\n")]) == [("+", "a\n"), ("+", "b\n")]


def test_what_is_taken_back_is_no_change() -> None:
    there, back = edits_between(FILE, changed(3, 60)), edits_between(changed(3, 60), changed(60))
    together = compose(there, back)
    assert together is not None
    assert [edit for edit in together if edit[0] != " "] == [("-", "line 60\n"), ("+", "new line 60\n")]


@given(before=contents, after=contents)
def test_a_patch_is_read_as_it_was_written(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    edits = edits_between(before, after)
    hunk = Hunk(int(bool(before)), int(bool(after)), edits)
    assert parse(write([hunk] if edits else [])).hunks == ([hunk] if edits else [])


@given(before=contents, after=contents)
def test_a_shortened_patch_does_the_same(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    hunk = Hunk(int(bool(before)), int(bool(after)), edits_between(before, after))
    short = shorten_hunk(hunk, 1)
    assert apply(write(short), before) == after
    assert sum(count(part.edits, "-+") for part in short) == count(hunk.edits, "-+")


@given(first=contents, second=contents, third=contents)
def test_two_changes_together_lead_from_the_first_state_to_the_last(
    first: tuple[str, ...], second: tuple[str, ...], third: tuple[str, ...]
) -> None:
    together = compose(edits_between(first, second), edits_between(second, third))
    assert together is not None
    assert tuple(lines_of(together, " -")) == first
    assert tuple(lines_of(together, " +")) == third
