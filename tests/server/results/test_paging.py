"""Pages by name: joined they are the whole, whatever comes and goes meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.results.paging import PAGE_BYTES, check_offset, fitting, offset_of, page_of, size_text
from opencode_mcp.text.json_text import json_size
from tests.harness.each import for_each

NAMES = st.lists(st.text(st.sampled_from("abc/"), min_size=1, max_size=4), unique=True).map(sorted)


def walk(names: list[str], limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = ""
    while True:
        page, cursor = page_of(names, limit, cursor)
        pages.append(page)
        if not cursor:
            return pages


@given(NAMES, st.integers(1, 5))
def test_pages_joined_are_the_whole(names: list[str], limit: int) -> None:
    pages = walk(names, limit)
    assert [name for page in pages for name in page] == names
    assert all(len(page) == limit for page in pages[:-1])


def test_a_page_is_bounded_in_bytes_and_no_name_is_lost() -> None:
    names = sorted(f"{number:04}{'é' * 200}" for number in range(1000))
    pages = walk(names, 1000)
    assert [name for page in pages for name in page] == names
    assert all(json_size(page) <= PAGE_BYTES for page in pages)


def test_a_page_holds_one_item_however_long_it_is() -> None:
    assert fitting(["x" * 2 * PAGE_BYTES, "y"]) == ["x" * 2 * PAGE_BYTES]


@given(NAMES, NAMES, st.integers(1, 5))
def test_what_comes_and_goes_between_two_pages_moves_no_other_entry(
    names: list[str], others: list[str], limit: int
) -> None:
    first, cursor = page_of(names, limit, "")
    if not cursor:
        return
    later = sorted(set(names) ^ set(others))
    rest = [name for page in walk_from(later, limit, cursor) for name in page]
    assert rest == [name for name in later if name > first[-1]]


def walk_from(names: list[str], limit: int, cursor: str) -> list[list[str]]:
    pages: list[list[str]] = []
    while cursor:
        page, cursor = page_of(names, limit, cursor)
        pages.append(page)
    return pages


@pytest.mark.parametrize("cursor", ["b", "50", "1764000000000.ses_x", "x" * 5000])
def test_a_cursor_that_is_not_from_a_page_of_names_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^The cursor '.{1,90}' is not from a page of this tool\. Leave it out"):
        page_of(["a", "b", "c"], 1, cursor)


@for_each("cursor", ["-1", "a", "after:a", "1.5", "9" * 10, "²"])
def test_a_cursor_that_is_no_number_of_items_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgument, match="is not from a page"):
        offset_of(cursor)


def test_a_number_of_items_after_the_end_is_refused_and_nothing_found_is_no_error() -> None:
    assert offset_of("") == 0
    assert offset_of("50") == 50
    check_offset(0, 0, "paths")
    check_offset(49, 50, "paths")
    with pytest.raises(InvalidArgument, match="The cursor 50 is after the end; paths in all: 50"):
        check_offset(50, 50, "paths")


@for_each(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (2560, "2.6 KB"),
        (12_345, "12 KB"),
        (5_300_000, "5.3 MB"),
        (500_000_000, "500 MB"),
        (7e15, "7000 TB"),
    ],
)
def test_a_size_is_reported_in_the_unit_that_fits(size: float, text: str) -> None:
    assert size_text(size) == text
