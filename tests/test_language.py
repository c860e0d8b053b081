"""Texts and names are plain technical English: docstrings have a subject, and terms of the field are used."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("opencode_mcp", "benchmarks", "examples", "scripts", "tests")
PAGE_FOLDERS = ("docs", "deploy", ".github", "opencode_mcp", "benchmarks", "examples")
OPENING = re.compile(r"(What|Which|Where|Whether|How|That|Why|Who|Whose|As it|Its own)\b")
"""Words with which a docstring has no subject."""
PHRASES = (
    r"asks? leave|by the word of|the word of one|lets? go of|is told|are told|as told|"
    r"no leave|without leave|doors?|hears? of|heard of|mend(?:s|ed|ing)?|stands? (?:in|at|behind|before|where)|"
    r"what came of|of it all|comes? to grief|gives? away|nobody learns|beats every|in little room|"
    r"says nothing of|business of|by a hair|operators word|same word"
)
"""Phrases that no text and no name contains."""
BANNED = re.compile(rf"\b({PHRASES}|whoever|what there is)\b", re.IGNORECASE)
"""Phrases that no docstring and no comment contains."""
BANNED_ANYWHERE = re.compile(rf"\b({PHRASES})\b", re.IGNORECASE)
BANNED_IN_NAMES = re.compile(
    r"(^|_)(told|tells|telling|heard|hears?|hearing|outweighs?|narrowing|bear|whoever|deaf|judged)(_|$)"
)
"""Words that no name of a function, a class, an argument or a variable contains."""
THIS = "tests/test_language.py"
ALIAS = re.compile(r"[A-Z]\w*[a-z]\w*")
"""Name of an alias of a type, such as ``CallResult``. Constants have no lower-case letter."""


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


def defined_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each function, class, argument and variable that a module defines."""
    for node in nodes_of(source):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case _:
                pass


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the content of each text in a module, such as messages."""
    for node in nodes_of(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_names_use_the_terms_of_the_field() -> None:
    found = [
        f"{path}:{line}: {name}"
        for path, source in sources()
        for line, name in defined_names(source)
        if BANNED_IN_NAMES.search(name.lower()) or BANNED_ANYWHERE.search(name.replace("_", " "))
    ]
    assert found == []


def test_messages_use_the_terms_of_the_field() -> None:
    found = [
        f"{path}:{line}: {match[0]}"
        for path, source in sources()
        for line, text in texts(source)
        if path != THIS and (match := BANNED_ANYWHERE.search(text))
    ]
    assert found == []


def test_pages_use_the_terms_of_the_field() -> None:
    pages = [*ROOT.glob("*.md"), *(page for folder in PAGE_FOLDERS for page in (ROOT / folder).rglob("*.md"))]
    found = [
        f"{page.relative_to(ROOT)}:{number}: {match[0]}"
        for page in pages
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BANNED_ANYWHERE.search(line))
    ]
    assert found == []


def type_names(source: str) -> Iterator[str]:
    """Yield the name of each class and of each alias of a type that a module defines."""
    for node in nodes_of(source):
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if ALIAS.fullmatch(name):
                    yield name
            case _:
                pass


def test_no_two_classes_or_aliases_of_the_package_share_a_name() -> None:
    modules: dict[str, set[str]] = {}
    for path, source in sources():
        for name in type_names(source) if path.startswith("opencode_mcp/") else ():
            modules.setdefault(name, set()).add(path)
    assert {name: found for name, found in modules.items() if len(found) > 1} == {}
