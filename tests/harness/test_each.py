"""A loop over values is as good as a test of each: all are tried, and each failure is reported with its value."""

from typing import cast

import pytest

from tests.harness.each import for_each


def test_all_values_are_tried_and_each_failure_names_its_value() -> None:
    tried: list[int] = []

    @for_each("number", range(5))
    def odd(number: int) -> None:
        tried.append(number)
        assert number % 2

    with pytest.raises(ExceptionGroup, match="3 of 5 failed") as failed:
        odd()
    assert tried == [0, 1, 2, 3, 4]
    failures = cast("tuple[Exception, ...]", failed.value.exceptions)
    assert [failure.__notes__ for failure in failures] == [["with number=0"], ["with number=2"], ["with number=4"]]


@for_each(("left", "right"), [(1, 2), (2, 3)])
def test_parts_of_a_value_and_fixtures_are_arguments(left: int, right: int, request: pytest.FixtureRequest) -> None:
    assert right == left + 1
    assert request.node.name == "test_parts_of_a_value_and_fixtures_are_arguments"


def test_a_failure_shows_the_name_that_its_value_got() -> None:
    @for_each("number", (1, 2), ids=("odd", "even"))
    def odd(number: int) -> None:
        assert number % 2

    with pytest.raises(ExceptionGroup) as failed:
        odd()
    (failure,) = cast("tuple[Exception, ...]", failed.value.exceptions)
    assert failure.__notes__ == ["with even"]


def test_a_loop_over_nothing_is_refused() -> None:
    with pytest.raises(AssertionError, match="proves nothing"):
        for_each("number", [])
