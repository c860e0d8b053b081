from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.markdown.layout import Excerpt, PlainLine, Section, allot, draw

needs = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50)), max_size=8)


def test_the_short_keep_their_size_and_the_long_share_the_rest() -> None:
    assert allot([10, 500, 900], [5, 5, 5], 400) == [10, 195, 195]


@given(needs=needs, total=st.integers(0, 5000))
def test_shares_are_fair_and_within_the_total(needs: list[tuple[int, int]], total: int) -> None:
    sizes, leasts = [size for size, _ in needs], [least for _, least in needs]
    shares = allot(sizes, leasts, total)
    assert all(least <= share <= max(size, least) for size, least, share in zip(sizes, leasts, shares, strict=True))
    assert sum(shares) <= max(total, sum(leasts))
    cut = [share for size, least, share in zip(sizes, leasts, shares, strict=True) if least < share < size]
    assert len(set(cut)) <= 1


def test_a_text_is_cut_at_the_end_of_a_line_and_says_so() -> None:
    drawn = draw(Excerpt("word\n" * 100, 203, "- said →"))
    assert drawn.cut
    assert drawn.text == "- said → the first 200 of 500 characters:\n```\n" + "word\n" * 40 + "```"


def test_the_end_of_a_text_begins_with_a_line() -> None:
    drawn = draw(Excerpt("word\n" * 100, 203, from_end=True))
    assert drawn.text == "The last 200 of 500 characters:\n```\n" + "word\n" * 40 + "```"


def test_a_text_that_has_no_room_is_reported_by_its_length() -> None:
    assert draw(Excerpt("word\n" * 100, 1000, "- said →"), 0).text == "- said → 500 characters, not shown"


def test_a_short_text_is_in_its_line_exactly_or_in_a_fence() -> None:
    assert draw(Excerpt("a b\n", 600, "- said →")).text == "- said → `a b`"
    assert draw(Excerpt("a  b\n", 600, "- said →")).text == "- said →\n```\na  b\n```"


def test_blocks_that_do_not_fit_are_counted_at_the_end_that_matters_less() -> None:
    lines = [PlainLine(f"- number {number}") for number in range(9)]
    last = Section("Title", lines, noun="lines")
    assert draw(last, 60).text == "Title\n- 7 earlier lines left out\n- number 7\n- number 8"
    first = Section("Title", lines, noun="lines", from_end=False)
    assert draw(first, 60).text == "Title\n- number 0\n- number 1\n- 7 more lines left out"


def test_what_is_quoted_keeps_within_the_limit_too() -> None:
    section = Section("Title", [Excerpt("a\n" * 500, 10_000)], quoted=True)
    drawn = draw(section, 400)
    assert len(drawn.text) <= 400
    assert drawn.text.startswith("Title\n> The first ")
    assert all(line.startswith(">") for line in drawn.text.split("\n")[1:])
