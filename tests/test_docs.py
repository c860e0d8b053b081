"""The pages say what is so: what is generated is current, what they name exists, what they show works."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from opencode_mcp.options import OPTIONS
from opencode_mcp.settings import resolve
from scripts import draw_states
from scripts.draw_demo import LONGEST_PAUSE, Line, draw, hurry
from scripts.generate_tables import PAGES, renewed
from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT

WRITTEN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
PAGES_ON_CODE = (ARCHITECTURE, ROOT / "CONTRIBUTING.md")
CODE = ("opencode_mcp", "tests", "scripts")
"""Folders in which these pages name files."""
MOST_TERMS = 25
"""Terms that a newcomer can be asked to learn."""
FILE = re.compile(r"`((?:\w[\w.-]*/)*[\w-]+\.(?:py|json|toml|md)|(?:\w[\w.-]*/)+)`")
"""Name of a file, or of a folder with a slash at its end."""
NAME = re.compile(r"`(\w*[A-Z_]\w*)(?<!_)`")
"""Name in code, such as ``TOOL_USES``, ``Bridge`` or ``needs_input``."""
LINK = re.compile(r"\]\(([^)#\s]+)")
ANCHORED = re.compile(r"\]\(((?!https?:)[^)#\s]*)#([^)\s]+)\)")
"""Link to a heading of this page or another one."""
README = ROOT / "README.md"
OTHERS_FLAGS = {"--scope", "--transport", "--header", "--service", "--stdio", "--hostname", "--port", "--version"}
"""Flags of hosts and of OpenCode."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fenced(page: Path, language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_tables_are_current(page: Path) -> None:
    assert read(page) == renewed(page), "run `python -m scripts.generate_tables`"


def test_the_drawn_states_are_current() -> None:
    drawn = draw_states.page(read(draw_states.PAGE))
    assert read(draw_states.PAGE) == drawn, "run `python -m scripts.draw_states`"


@for_each("page", PAGES_ON_CODE)
def test_the_files_and_folders_that_it_names_exist(page: Path) -> None:
    paths = [path for folder in CODE for path in (ROOT / folder).rglob("*")]
    ends = {"/".join(path.parts[place:]) for path in paths for place in range(len(path.parts))}
    named = set(FILE.findall(read(page)))
    missing = {name for name in named if name.rstrip("/") not in ends and not (ROOT / name).exists()}
    assert missing == set()


@for_each("page", PAGES_ON_CODE)
def test_the_names_in_code_that_it_names_exist(page: Path) -> None:
    assert [name for name in sorted(set(NAME.findall(read(page)))) if not is_in_code(name)] == []


@cache
def code() -> list[str]:
    return [read(path) for folder in CODE for path in (ROOT / folder).rglob("*.py")]


def is_in_code(name: str) -> bool:
    return any(name in text and re.search(rf"\b{name}\b", text) for text in code())


def test_the_glossary_is_short_and_has_a_row_for_each_term() -> None:
    glossary = read(ARCHITECTURE).split("## Glossary\n", 1)[1].split("\n## ", 1)[0]
    terms = re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE)
    terms = [term for term in terms if term not in {"term", "---"}]
    assert len(set(terms)) == len(terms) <= MOST_TERMS
    assert [term for term in terms if "," in term] == []


@for_each("page", WRITTEN)
def test_its_links_lead_somewhere(page: Path) -> None:
    local = [link for link in LINK.findall(read(page)) if not link.startswith(("http:", "https:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


@for_each("page", WRITTEN)
def test_its_links_lead_to_headings_that_exist(page: Path) -> None:
    for target, anchor in ANCHORED.findall(read(page)):
        assert anchor in anchors(page.parent / target if target else page), f"{target}#{anchor}"


def test_the_readme_links_each_page() -> None:
    pages = {page.relative_to(ROOT).as_posix() for page in ROOT.glob("docs/*.md")}
    assert pages - set(LINK.findall(read(README))) == set()


def test_each_dependency_has_its_reason() -> None:
    project: dict[str, Any] = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required}
    page = read(ROOT / "docs" / "dependencies.md")
    used = re.sub(r"## Considered and not used.*?(?=\n## )", "", page, flags=re.DOTALL)
    reasons = set(re.findall(r"^\| `([^`]+)`", used, re.MULTILINE))
    assert names <= reasons
    assert reasons - names == {"opencode-ai", "@opencode-ai/cli-linux-x64-baseline"}


def test_the_readmes_json_is_json() -> None:
    blocks = [json.loads(block) for block in fenced(README, "json")]
    assert "opencode-mcp" in json.dumps(blocks)


def test_the_readmes_settings_are_accepted(tmp_path: Path) -> None:
    settings = next(block for block in fenced(README, "toml") if "permission_rules" in block)
    file = tmp_path / "config.toml"
    file.write_text(settings, encoding="utf-8")
    resolved = resolve({}, {"OPENCODE_MCP_CONFIG": str(file)})
    assert resolved.permission_rules["bash"]["git status*"] == "allow"


@for_each("page", WRITTEN)
def test_the_flags_that_it_names_exist(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"npm .*|python -m scripts.*", "", read(page))))
    assert named - OTHERS_FLAGS <= {option.spelling for option in OPTIONS}


@for_each("page", WRITTEN)
def test_the_make_targets_that_it_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)\b(?=[`\s=])", _commands(read(page)))) <= targets


def _commands(page: str) -> str:
    """Code, inline or in blocks; elsewhere ``make`` is a word."""
    return "\n".join(re.findall(r"```sh\n.*?```|`make [^`]*`", page, re.DOTALL))


def test_the_picture_shows_the_main_job() -> None:
    shown = "".join(ET.fromstring(read(ROOT / "docs" / "demo.svg")).itertext())  # noqa: S314 - our own file
    for expected in ("opencode_run(", "OpenCode asks", "opencode_reply_permission(", "completed", "opencode_diff("):
        assert expected in shown


def test_a_picture_keeps_text_and_colours() -> None:
    picture = draw([Line(0.5, "plain <&> \033[32mgreen\033[0m end")])
    assert "plain <&> green end" in "".join(ET.fromstring(picture).itertext())  # noqa: S314 - just drawn
    assert picture.count("#8ddb8c") == 1
    assert "animation-delay:0.5s" in picture


def test_long_pauses_are_shortened_in_a_picture() -> None:
    lines = hurry([Line(1.0, "a"), Line(60.0, "b"), Line(60.5, "c")])
    assert [line.moment for line in lines] == [1.0, 1.0 + LONGEST_PAUSE, 1.5 + LONGEST_PAUSE]
