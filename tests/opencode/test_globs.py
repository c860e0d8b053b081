"""Whether a path fits what a caller wrote."""

import pytest

from opencode_mcp.opencode.globs import fits


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ("*.py", {"main.py", "src/greet.py", "src/deep/er.py"}),
        ("src", {"src/greet.py", "src/deep/er.py", "src/app.ts"}),
        ("./src/", {"src/greet.py", "src/deep/er.py", "src/app.ts"}),
        ("src/*.py", {"src/greet.py", "src/deep/er.py"}),
        ("src/**/*.py", {"src/greet.py", "src/deep/er.py"}),
        ("**/*.{py,ts}", {"main.py", "src/greet.py", "src/deep/er.py", "src/app.ts"}),
        ("src/greet.py", {"src/greet.py"}),
        ("greet.py", {"src/greet.py"}),
        ("docs/", {"docs/a[1].txt"}),
        ("nothing", set[str]()),
    ],
)
def test_a_glob_a_folder_or_a_path_chooses(wanted: str, paths: set[str]) -> None:
    every = {"main.py", "src/greet.py", "src/deep/er.py", "src/app.ts", "docs/a[1].txt", "srcs/x"}
    assert {path for path in every if fits(path, wanted)} == paths


def test_a_path_with_the_characters_of_a_glob_fits_itself() -> None:
    assert fits("docs/a[1].txt", "docs/a[1].txt")
