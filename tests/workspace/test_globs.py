"""Match of a path against the pattern of a caller."""

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.workspace.globs import MOST_ALTERNATIVES, Globs
from tests.harness.each import for_each


@for_each(
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
    assert {path for path in every if Globs([wanted]).fit(path)} == paths


def test_a_path_with_the_characters_of_a_glob_fits_itself() -> None:
    assert Globs(["docs/a[1].txt"]).fit("docs/a[1].txt")


def test_no_glob_fits_nothing() -> None:
    assert not Globs([]).fit("main.py")


@pytest.mark.parametrize(
    "wanted",
    [["{a,b}" * 20], ["{a,b}" * 5] * 7, ["{" + "a," * MOST_ALTERNATIVES + "}"], ["x" * 1001], ["{a,b}" * 300]],
    ids=["braces", "many globs", "many choices", "long", "more than a number holds"],
)
def test_globs_that_multiply_are_refused_before_they_are_written_out(wanted: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="glob"):
        Globs(wanted)


def test_braces_multiply_up_to_the_limit() -> None:
    globs = Globs(["{a,b}" * 7])
    assert globs.fit("abababa")
    assert not globs.fit("abababc")
