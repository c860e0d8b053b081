"""Pages of matches: each is filled from the same stream of lines, and together they have all of it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.workspace.search.found_lines import FoundLine, FoundPage

LINES = st.lists(st.booleans(), max_size=30)
FILES = st.lists(LINES, max_size=5)


def found(files: Sequence[Sequence[bool]], context: int) -> list[FoundLine]:
    """Return the output of a search: the matches of each file, and the lines near them."""
    lines: list[FoundLine] = []
    for file, marks in enumerate(files):
        matches = [number for number, matched in enumerate(marks, 1) if matched]
        lines += [
            FoundLine(f"{file}.txt", number, f"text {number}", matched=marks[number - 1])
            for number in range(1, len(marks) + 1)
            if any(abs(number - match) <= context for match in matches)
        ]
    return lines


def page_of(lines: Sequence[FoundLine], page: FoundPage) -> FoundPage:
    for line in lines:
        if not page.add(line):
            break
    return page


def pages_of(lines: Sequence[FoundLine], limit: int, context: int) -> list[FoundPage]:
    pages = [page_of(lines, FoundPage(0, limit, context))]
    while pages[-1].more:
        pages.append(page_of(lines, FoundPage(pages[-1].next_offset, limit, context)))
    return pages


@given(FILES, st.integers(1, 7), st.integers(0, 3))
def test_pages_joined_hold_every_match_once_and_in_order(
    files: Sequence[Sequence[bool]], limit: int, context: int
) -> None:
    lines = found(files, context)
    pages = pages_of(lines, limit, context)

    matched = [line for page in pages for line in page.lines if line.matched]
    assert matched == [line for line in lines if line.matched]
    assert all(page.taken <= limit for page in pages)


@given(FILES, st.integers(1, 7), st.integers(0, 3))
def test_every_line_of_context_is_near_a_match_of_its_own_page(
    files: Sequence[Sequence[bool]], limit: int, context: int
) -> None:
    for page in pages_of(found(files, context), limit, context):
        for line in page.lines:
            near = [
                other
                for other in page.lines
                if other.matched and other.path == line.path and abs(other.number - line.number) <= context
            ]
            assert near, line


@given(FILES, st.integers(0, 3))
def test_one_page_of_all_is_all_that_was_found(files: Sequence[Sequence[bool]], context: int) -> None:
    lines = found(files, context)
    page = page_of(lines, FoundPage(0, 1000, context))
    assert page.lines == lines
    assert not page.more


def test_a_page_is_full_when_its_text_is_long_whatever_the_limit() -> None:
    lines = [FoundLine("a", number, "x" * 60) for number in range(1, 10)]
    page = page_of(lines, FoundPage(0, 100, room=250))
    assert [line.number for line in page.lines] == [1, 2]
    assert page.more
    assert page.next_offset == 2


def test_a_page_holds_one_match_however_long_it_is() -> None:
    lines = [FoundLine("a", 1, "x" * 1000), FoundLine("a", 2, "y")]
    page = page_of(lines, FoundPage(0, 100, room=250))
    assert [line.number for line in page.lines] == [1]
