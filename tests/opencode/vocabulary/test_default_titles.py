"""Titles beside the beginnings of prompts: what both say is said once."""

from opencode_mcp.opencode.vocabulary.default_titles import told_once


def test_of_a_title_and_a_prompt_that_begin_alike_only_the_longer_one_is_reported() -> None:
    assert told_once("Fix the login…", "Fix the login page") == ("", "Fix the login page")
    assert told_once("fix the Login", "Fix the login page") == ("", "Fix the login page")
    assert told_once("Fix the login page of the shop", "Fix the login…") == ("Fix the login page of the shop", "")
    assert told_once("Same", "Same") == ("Same", "")


def test_a_title_of_its_own_and_a_prompt_are_both_reported() -> None:
    assert told_once("Login", "Fix the login page") == ("Login", "Fix the login page")
    assert told_once("", "Fix it") == ("", "Fix it")
    assert told_once("Login", "") == ("Login", "")
