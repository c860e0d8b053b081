"""The security page guarantees nothing that no test attacks: every guarantee has modules and tests, and they exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT

PAGE = ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| (?P<cells>.*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


class Guarantee(NamedTuple):
    """A guarantee, with what two tables of the page say about it."""

    id: str
    modules: list[str]
    tests: list[str]


@cache
def rows(block: str) -> list[tuple[str, str]]:
    """The rows of the tables between two marks: each the id of a guarantee, and its last cell."""
    found = re.search(rf"<!-- {block} -->\n(.*?)<!-- end: {block} -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{PAGE} has no block {block}"
    return [(row["id"], row["cells"].rpartition(" | ")[2]) for row in ROW.finditer(found[1])]


def guarantees() -> list[Guarantee]:
    """The guarantees of the page."""
    attacks = dict(rows("attacks"))
    return [Guarantee(one, CODE.findall(kept), CODE.findall(attacks.get(one, ""))) for one, kept in rows("guarantees")]


@cache
def functions_of(file: Path) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def test_both_tables_have_each_guarantee_once() -> None:
    ids = [one for one, _ in rows("guarantees")]
    assert len(ids) > 20
    assert len(set(ids)) == len(ids)
    assert [one for one, _ in rows("attacks")] == ids


@for_each("guarantee", guarantees())
def test_the_modules_and_tests_of_a_guarantee_exist(guarantee: Guarantee) -> None:
    assert guarantee.modules, "no module keeps it"
    assert guarantee.tests, "no test attacks it"
    assert [module for module in guarantee.modules if not (ROOT / "opencode_mcp" / module).is_file()] == []
    for name in guarantee.tests:
        file, _, test = name.partition("::")
        path = ROOT / "tests" / file
        assert path.is_file(), name
        assert test in functions_of(path), name
