"""Parts of long texts begin and end between lines, words and characters, and a fence that a cut opens is found."""

import pytest

from opencode_mcp.markdown.excerpt import head, open_fence, tail
from tests.harness.each import for_each

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WAVING = "\U0001f44b\U0001f3fd"
ACCENTED = "e\u0301"


@pytest.mark.parametrize("part", [head, tail])
def test_a_text_that_fits_stays(part: object) -> None:
    assert callable(part)
    assert part("one two", 7) == "one two"


def test_the_beginning_ends_with_a_line_if_one_is_near_else_with_a_word() -> None:
    assert head("first line\nsecond", 13) == "first line\n"
    assert head(f"a\n{'word ' * 100}", 203) == f"a\n{'word ' * 40}"
    assert head("x" * 500, 200) == "x" * 200


def test_the_end_begins_with_a_line_if_one_is_near_else_with_a_word() -> None:
    assert tail("first\nsecond line", 13) == "second line"
    assert tail(f"{'word ' * 100}end", 203) == f"{'word ' * 40}end"
    assert tail(f"{'word ' * 100}end", 201) == f"{'word ' * 39}end"
    assert tail("x" * 500, 200) == "x" * 200


@pytest.mark.parametrize("character", [FAMILY, WAVING, ACCENTED])
def test_no_character_is_cut_in_two(character: str) -> None:
    text = character * 100
    for limit in range(50, 60):
        assert head(text, limit) == character * (limit // len(character))
        assert tail(text, limit) == character * (limit // len(character))


@for_each(
    ("text", "marks"),
    [
        ("plain", ""),
        ("```py\nx", "```"),
        ("```py\nx\n```\n", ""),
        ("````md\n```\nx\n```\n", "````"),
        ("~~~\n```\nx", "~~~"),
        ("```\nx\n```py\ny", "```"),
        ("in `code` and ``` words", ""),
        ("   ```\nx\n  `````  ", ""),
    ],
)
def test_the_fence_that_is_open_at_the_end_of_a_text_is_found(text: str, marks: str) -> None:
    assert open_fence(text) == marks
