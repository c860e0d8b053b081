"""Docstrings and comments are plain technical English: docstrings have a subject, and terms of the field are used."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("opencode_mcp", "benchmarks", "examples", "scripts")
OPENING = re.compile(r"(What|Which|Where|Whether|How|That|Why|Who|Whose|As it|Its own)\b")
"""Words with which a docstring has no subject."""
BANNED = re.compile(
    r"\b("
    r"asks? leave|by the word of|the word of one|lets? go of|is told|are told|what there is|as told|"
    r"no leave|without leave|doors?|hears? of|heard of|mend(?:s|ed|ing)?|stands? (?:in|at|behind|before|where)|"
    r"what came of|of it all|comes? to grief|gives? away|nobody learns|beats every|in little room|"
    r"says nothing of|business of|by a hair|whoever"
    r")\b",
    re.IGNORECASE,
)


@cache
def sources() -> list[tuple[str, str]]:
    """Return the path and the text of each module."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


@cache
def nodes_of(source: str) -> list[ast.AST]:
    """Return all nodes of a module's syntax tree."""
    return list(ast.walk(ast.parse(source)))


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring, including those of attributes."""
    for node in nodes_of(source):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each comment, if a banned word may be in one: reading tokens takes long."""
    if not any(BANNED.search(line) for line in source.splitlines() if "#" in line):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_a_docstring_begins_with_what_a_thing_does_or_is() -> None:
    found = [
        f"{name}:{line}: {text.strip().splitlines()[0]}"
        for name, source in sources()
        for line, text in docstrings(source)
        if OPENING.match(text.strip())
    ]
    assert found == []


def test_docstrings_and_comments_use_the_terms_of_the_field() -> None:
    found = [
        f"{name}:{line}: {match[0]}"
        for name, source in sources()
        for line, text in (*docstrings(source), *comments(source))
        if (match := BANNED.search(text))
    ]
    assert found == []


def test_no_two_classes_of_the_package_share_a_name() -> None:
    named: dict[str, list[str]] = {}
    for name, source in sources():
        for node in nodes_of(source) if name.startswith("opencode_mcp/") else ():
            if isinstance(node, ast.ClassDef):
                named.setdefault(node.name, []).append(name)
    assert {name: paths for name, paths in named.items() if len(set(paths)) > 1} == {}
