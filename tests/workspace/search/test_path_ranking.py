"""Paths that match words, and their order."""

import pytest

from opencode_mcp.workspace.search.path_ranking import PathRanking, folders_between

PATHS = [
    "docs/greeting/notes.txt",
    "docs/greeting/",
    "lib/agreement.py",
    "src/greet.py",
    "src/greet_all.py",
    "src/Greet.md",
    "src/grey/eta.py",
    "src/other.py",
    "greet",
]


def ranked(query: str, paths: list[str], most: int = 100) -> list[str]:
    ranking = PathRanking(query, most)
    for path in paths:
        ranking.add(path)
    return ranking.best()


def test_the_exact_name_comes_first_then_its_beginning_a_part_of_it_of_the_path_and_letters_in_order() -> None:
    assert ranked("greet", PATHS) == [
        "greet",
        "src/Greet.md",
        "src/greet.py",
        "docs/greeting/",
        "src/greet_all.py",
        "docs/greeting/notes.txt",
        "src/grey/eta.py",
        "lib/agreement.py",
    ]
    assert ranked("gree", ["a/agree.py", "b/greedy.py", "gree/x"]) == ["b/greedy.py", "a/agree.py", "gree/x"]


def test_every_word_must_fit_and_the_case_of_letters_does_not_count() -> None:
    assert ranked("SRC greet", PATHS) == ["src/Greet.md", "src/greet.py", "src/greet_all.py", "src/grey/eta.py"]
    assert ranked("src/greet", PATHS)[:2] == ["src/Greet.md", "src/greet.py"]
    assert ranked("greet nothing", PATHS) == []
    assert ranked("GRÜSSE", ["a/grüße.txt"]) == ["a/grüße.txt"]


@pytest.mark.parametrize("query", ["", "  "])
def test_without_words_every_path_fits_the_shortest_first(query: str) -> None:
    assert ranked(query, ["ccc", "bb", "aa/"]) == ["bb", "aa/", "ccc"]


def test_of_many_paths_the_best_are_kept_whatever_their_order() -> None:
    paths = [f"x/greet{number:03}.py" for number in range(500)]
    for order in (paths, paths[::-1]):
        ranking = PathRanking("greet", 10)
        for path in [*order, "greet"]:
            ranking.add(path)
        assert ranking.best() == ["greet", *paths[:9]]
        assert not ranking.complete


def test_it_is_complete_when_all_that_fit_were_kept() -> None:
    ranking = PathRanking("greet", 2)
    for path in PATHS[:1] * 2 + ["no"] * 50:
        ranking.add(path)
    ranking.best()
    assert ranking.complete


def test_a_walk_names_each_folder_once() -> None:
    walk = ["a.txt", "a/b/c.txt", "a/b/d.txt", "a/bc/d.txt", "a/e", "f/g/h/i"]
    named: list[str] = []
    before = ""
    for path in walk:
        named += folders_between(before, path)
        before = path
    assert named == ["a/", "a/b/", "a/bc/", "f/", "f/g/", "f/g/h/"]
