"""The security page promises nothing that no test attacks: every row names modules and tests, and they exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT

PAGE = ROOT / "docs" / "security.md"
TABLE = re.compile(r"<!-- promises -->\n(.*?)<!-- end: promises -->", re.DOTALL)
HEAD_LINES = 2
CODE = re.compile(r"`([^`]+)`")


class Promise(NamedTuple):
    """One row of the table."""

    text: str
    modules: list[str]
    tests: list[str]


def promises() -> list[Promise]:
    """The rows of the table, apart from its head and the headings in it."""
    table = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert table, f"{PAGE} has no table of promises"
    lines = table[1].splitlines()[HEAD_LINES:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Promise(text, CODE.findall(kept), CODE.findall(attacked)) for text, kept, attacked in rows if kept]


@cache
def functions_of(file: Path) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def test_there_are_promises() -> None:
    assert len(promises()) > 20


@for_each("promise", promises())
def test_the_modules_and_tests_of_a_promise_exist(promise: Promise) -> None:
    assert promise.modules, "no module keeps it"
    assert promise.tests, "no test attacks it"
    assert [module for module in promise.modules if not (ROOT / "opencode_mcp" / module).is_file()] == []
    for name in promise.tests:
        file, _, test = name.partition("::")
        path = ROOT / "tests" / file
        assert path.is_file(), name
        assert test in functions_of(path), name
