"""A window of lines over a text that goes by in pieces."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.workspace.line_window import LineWindow

TEXT = st.text(st.sampled_from("ab\n\r\u2028é"), max_size=60)
WIDE = 1000


def window_of(pieces: Sequence[str], first: int, count: int, *, width: int = WIDE, room: int = WIDE) -> LineWindow:
    window = LineWindow(first, count, width, room)
    for piece in pieces:
        window.add(piece)
    return window


def lines_of(text: str) -> list[str]:
    whole = text.split("\n")
    return [line.removesuffix("\r") for line in (whole[:-1] if whole[-1] == "" else whole)]


@given(st.lists(TEXT, max_size=6), st.integers(1, 12), st.integers(1, 8))
def test_the_window_shows_the_lines_that_splitting_the_whole_text_would(
    pieces: list[str], first: int, count: int
) -> None:
    window = window_of(pieces, first, count)
    assert window.finish() == len(lines_of("".join(pieces)))
    assert window.lines == lines_of("".join(pieces))[first - 1 : first - 1 + count]


@given(TEXT, st.integers(1, 8))
def test_windows_joined_are_the_whole_text(text: str, count: int) -> None:
    lines: list[str] = []
    first = 1
    while True:
        window = window_of([text], first, count)
        total = window.finish()
        lines += window.lines
        first = window.last + 1
        if first > total:
            break
    assert lines == lines_of(text)


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_it_does_not_matter_how_the_text_is_cut_into_pieces(pieces: list[str]) -> None:
    one, many = window_of(["".join(pieces)], 2, 5), window_of(pieces, 2, 5)
    assert (one.finish(), one.lines) == (many.finish(), many.lines)


def test_a_long_line_is_cut_and_says_how_long_it_is() -> None:
    window = window_of(["x" * 30, "y" * 30 + "\nshort"], 1, 5, width=10)
    window.finish()
    assert window.lines == ["xxxxxxxxxx… (60 characters)", "short"]


def test_the_window_is_full_when_its_text_is_long() -> None:
    window = window_of(["aaaa\nbbbb\ncccc\n"], 1, 5, room=30)
    assert window.finish() == 3
    assert window.lines == ["aaaa", "bbbb"]
    assert window.full


def test_what_goes_by_after_the_window_is_counted_and_not_kept() -> None:
    window = window_of(["a\n", *["b\n" * 1000] * 100], 1, 1)
    assert window.full
    assert window.characters_after == 200_000
    assert window.finish() == 100_001
