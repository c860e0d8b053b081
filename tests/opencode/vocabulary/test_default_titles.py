"""Titles beside the beginnings of prompts: what both say is said once."""

from opencode_mcp.opencode.vocabulary.default_titles import without_repetition


def test_of_a_title_and_a_prompt_that_begin_alike_only_the_longer_one_is_reported() -> None:
    assert without_repetition("Fix the login…", "Fix the login page") == ("", "Fix the login page")
    assert without_repetition("fix the Login", "Fix the login page") == ("", "Fix the login page")
    assert without_repetition("Fix the login page of the shop", "Fix the login…") == (
        "Fix the login page of the shop",
        "",
    )
    assert without_repetition("Same", "Same") == ("Same", "")


def test_a_title_of_its_own_and_a_prompt_are_both_reported() -> None:
    assert without_repetition("Login", "Fix the login page") == ("Login", "Fix the login page")
    assert without_repetition("", "Fix it") == ("", "Fix it")
    assert without_repetition("Login", "") == ("Login", "")
