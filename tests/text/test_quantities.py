"""A number with its noun has the right form of the noun."""

from opencode_mcp.text.quantities import quantity
from tests.harness.each import for_each


@for_each(("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1200, "1,200 files")])
def test_a_number_has_the_form_of_its_noun(number: int, text: str) -> None:
    assert quantity(number, "file") == text


def test_an_irregular_plural_is_given() -> None:
    assert [quantity(number, "entry", "entries") for number in (1, 3)] == ["1 entry", "3 entries"]
