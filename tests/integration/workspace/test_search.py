"""Finding files, text and symbols over stdio."""

from pathlib import Path
from shutil import rmtree

import pytest

from tests.harness.waiting import eventually
from tests.integration.host import Host, Json

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

WORD = "hazelnut"
CODE = """\
class Hazelnut:
    def roast(self):
        return crack_hazelnut(self)


def crack_hazelnut(nut):
    return nut
"""


@pytest.fixture(scope="package")
def orchard(workplace: Path) -> Path:
    """A folder with things to find."""
    folder = workplace / "orchard"
    folder.mkdir(exist_ok=True)
    for number in range(12):
        lines = [f"{WORD} {number}.{line}" if line % 3 == 0 else "leaf" for line in range(9)]
        (folder / f"tree{number:02}.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "nuts.py").write_text(CODE, encoding="utf-8")
    return folder


def places(found: Json) -> list[tuple[str, int]]:
    return [(match["path"], match["line"]) for match in found["matches"]]


@pytest.mark.both_generations
async def test_text_is_found_with_its_place(host: Host, orchard: Path) -> None:
    assert orchard
    found = await host.data("opencode_find_text", pattern="^def greet")
    assert found["matches"] == [{"path": "src/greet.py", "line": 1, "text": "def greet(name: str) -> str:"}]
    assert found["cursor"] == ""
    assert await host.text("opencode_find_text", pattern="^def greet") == (
        "src/greet.py\n     1: def greet(name: str) -> str:"
    )


async def test_pages_of_matches_joined_are_the_whole(host: Host, orchard: Path) -> None:
    assert orchard
    search = {"pattern": WORD, "include": ["orchard/*.txt"]}
    whole = await host.data("opencode_find_text", **search, limit=500)
    assert len(whole["matches"]) == 36
    joined: list[tuple[str, int]] = []
    cursor = ""
    while True:
        page = await host.data("opencode_find_text", **search, limit=5, cursor=cursor)
        assert len(page["matches"]) <= 5
        joined += places(page)
        cursor = page["cursor"]
        if not cursor:
            break
    assert joined == places(whole)


async def test_matches_come_with_the_lines_around_them(host: Host, orchard: Path) -> None:
    assert orchard
    found = await host.data("opencode_find_text", pattern=f"{WORD} 3.3", context=1)
    assert found["matches"] == [
        {
            "path": "orchard/tree03.txt",
            "line": 4,
            "text": f"{WORD} 3.3",
            "before": ["leaf"],
            "after": ["leaf"],
        }
    ]
    assert "     3- leaf\n     4: hazelnut 3.3\n     5- leaf" in await host.text(
        "opencode_find_text", pattern=f"{WORD} 3.3", context=1
    )


async def test_files_can_be_chosen_and_their_matches_limited(host: Host, orchard: Path) -> None:
    assert orchard
    found = await host.data(
        "opencode_find_text", pattern=WORD, include=["orchard/**", "!*.py", "!*tree1*"], per_file=1, limit=500
    )
    assert places(found) == [(f"orchard/tree{number:02}.txt", 1) for number in range(10)]


async def test_a_plain_text_is_taken_literally(host: Host) -> None:
    found = await host.data("opencode_find_text", pattern='f"Hello, {name}"', literal=True)
    assert places(found) == [("src/greet.py", 3)]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"pattern": "NO SUCH THING"}, "Upper and lower case count; a pattern that begins with (?i) ignores them. "),
        ({"pattern": "NO SUCH (", "literal": True}, "Upper and lower case count; a pattern without literal that "),
        ({"pattern": "(?i)no such thing"}, ""),
        ({"pattern": "4711 0815"}, ""),
    ],
)
async def test_a_search_without_a_match_says_what_it_did_not_match(host: Host, arguments: Json, hint: str) -> None:
    text = await host.text("opencode_find_text", **arguments)
    assert text.startswith(f"Nothing matches {arguments['pattern']!r}. {hint}")
    assert ("Upper and lower case" in text) == bool(hint)
    assert text.endswith("Files that git ignores are not searched.")


@pytest.mark.both_generations
async def test_a_cursor_after_the_end_is_an_error_and_no_empty_result(host: Host) -> None:
    error = await host.error("opencode_find_text", pattern="Greet somebody", cursor="90")
    assert "The cursor 90 is after the end; matches in all: 1." in error
    error = await host.error("opencode_find_files", query="greet.py", cursor="90")
    assert "The cursor 90 is after the end; paths in all: 1." in error


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"pattern": "["}, "unclosed character class"),
        ({"pattern": "(?=x)"}, "look-around"),
        ({"pattern": ""}, "empty"),
        ({"pattern": "x", "include": ["["]}, "A glob is invalid"),
        ({"pattern": "x", "cursor": "abc"}, "cursor"),
        ({"pattern": "x", "directory": "/nowhere"}, "outside"),
    ],
)
async def test_what_cannot_be_searched_is_explained(host: Host, arguments: Json, reason: str) -> None:
    assert reason in await host.error("opencode_find_text", **arguments)


@pytest.mark.both_generations
async def test_files_are_found_by_a_part_of_their_path(host: Host, orchard: Path) -> None:
    async def look() -> bool:
        found = await host.data("opencode_find_files", query="orchard nuts")
        return found["paths"][:1] == [f"{orchard.name}/nuts.py"]

    assert await eventually(look), "OpenCode sees new files within some seconds"


@pytest.mark.both_generations
async def test_pages_of_files_joined_are_the_whole(host: Host, orchard: Path) -> None:
    assert orchard
    whole = await host.data("opencode_find_files", query="orchard/*.txt", limit=200)
    assert whole["paths"] == [f"orchard/tree{number:02}.txt" for number in range(12)]
    joined: list[str] = []
    cursor = ""
    while True:
        page = await host.data("opencode_find_files", query="orchard/*.txt", limit=5, cursor=cursor)
        joined += page["paths"]
        cursor = page["cursor"]
        if not cursor:
            break
    assert joined == whole["paths"]


@pytest.mark.both_generations
async def test_folders_alone_can_be_asked_for(host: Host) -> None:
    found = await host.data("opencode_find_files", query="src", type="directory")
    assert found["paths"][0] == "src/"
    assert all(path.endswith("/") for path in found["paths"])


async def test_pages_of_matches_that_are_long_in_bytes_joined_are_the_whole(host: Host, workplace: Path) -> None:
    folder = workplace / ("deep" * 20)
    folder.mkdir(exist_ok=True)
    for number in range(300):
        (folder / f"{number:03}{'ü' * 90}.txt").write_text(f'"Haselnuß" {"ß" * 150}', encoding="utf-8")
    joined: list[tuple[str, int]] = []
    listed: list[str] = []
    found = {"cursor": ""}
    while found["cursor"] or not joined:
        found = await host.data("opencode_find_text", pattern="Haselnuß", limit=500, cursor=found["cursor"])
        joined += places(found)
    found = {"cursor": ""}
    while found["cursor"] or not listed:
        found = await host.data("opencode_find_files", query="**/*ü.txt", limit=200, cursor=found["cursor"])
        listed += found["paths"]
    assert len(set(joined)) == len(joined) == 300
    assert sorted(listed) == sorted(path for path, _ in joined)
    entries: list[str] = []
    page = {"cursor": ""}
    while page["cursor"] or not entries:
        page = await host.data("opencode_read_file", path=folder.name, lines=1000, cursor=page["cursor"])
        entries += page["entries"]
    assert len(entries) == 300
    rmtree(folder)


@pytest.mark.both_generations
async def test_no_file_and_no_cursor_are_reported(host: Host) -> None:
    assert "No path fits" in await host.text("opencode_find_files", query="*.nothing")
    assert "The cursor '-1' is not from a page" in await host.error("opencode_find_files", query="x", cursor="-1")


@pytest.mark.both_generations
async def test_symbols_are_found_as_definitions_and_it_is_said(host: Host, orchard: Path) -> None:
    assert orchard
    found = await host.data("opencode_find_symbols", query="hazelnut")
    assert found["source"] == "text"
    assert [(one["name"], one["kind"], one["path"], one["line"]) for one in found["symbols"]] == [
        ("Hazelnut", "class", "orchard/nuts.py", 1),
        ("crack_hazelnut", "function", "orchard/nuts.py", 6),
    ]
    assert found["note"] == "No language server result; matched by text instead."
    lines = (await host.text("opencode_find_symbols", query="hazelnut")).splitlines()
    assert lines[:2] == [found["note"], "orchard/nuts.py:1 (class): class Hazelnut:"]


@pytest.mark.both_generations
async def test_the_lines_that_use_a_symbol_are_found_by_text_without_its_definition(host: Host, orchard: Path) -> None:
    (orchard / "use.py").write_text("from nuts import Hazelnut\n\nbasket = [Hazelnut()]\nHazelnuts.sort()\n")
    asked = {"query": "Hazelnut", "references": True}
    found = await host.data("opencode_find_symbols", **asked)
    used = [(one["path"], one["line"]) for one in found["references"]]
    assert ("orchard/nuts.py", 1) not in used
    assert [line for path, line in used if path == "orchard/use.py"] == [1, 3]
    text = await host.text("opencode_find_symbols", **asked)
    assert text.count("class Hazelnut") == 1
    assert "Lines that use 'Hazelnut':" in text
    short = await host.text("opencode_find_symbols", limit=1, **asked)
    assert "opencode_find_text(pattern='Hazelnut')" in short
    none = await host.text("opencode_find_symbols", query="zzz", references=True)
    assert none.splitlines() == ["No definition of 'zzz' was found.", "No line contains 'zzz' as a whole word."]
    (orchard / "use.py").unlink()


async def test_more_symbols_than_asked_for_are_counted(host: Host, orchard: Path) -> None:
    assert orchard
    found = await host.data("opencode_find_symbols", query="hazelnut", limit=1)
    assert len(found["symbols"]) == 1
    assert "2 in all" in found["note"]


async def test_a_symbol_that_there_is_not_and_a_query_that_names_none_are_reported(host: Host) -> None:
    assert "No definition of 'zzz'" in await host.text("opencode_find_symbols", query="zzz")
    assert "names no symbol" in await host.error("opencode_find_symbols", query="--")
