"""Finding text, files and symbols: with ripgrep beside OpenCode, and with OpenCode alone."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.workspace.project_folder import ProjectFolder
from opencode_mcp.workspace.search import file_search
from opencode_mcp.workspace.search.found_lines import FoundPage, TextQuery
from opencode_mcp.workspace.search.project_search import ProjectSearch
from opencode_mcp.workspace.search.ripgrep import Ripgrep
from opencode_mcp.workspace.search.ripgrep_executable import find_ripgrep
from tests.harness.processes.isolation import basics
from tests.harness.project import make_long_path
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def client(opencode_server: OpenCode) -> AsyncGenerator[OpenCodeClient]:
    endpoint = Endpoint(url=opencode_server.url, password=opencode_server.password)
    with anyio.fail_after(60):
        async with connected(endpoint) as connection:
            yield connection


@pytest.fixture
def opencode_alone(client: OpenCodeClient) -> ProjectSearch:
    return ProjectSearch(client, None)


@pytest.fixture(params=["with ripgrep", "OpenCode alone"])
def search(request: pytest.FixtureRequest, client: OpenCodeClient) -> ProjectSearch:
    executable = find_ripgrep(basics())
    assert executable
    return ProjectSearch(client, Ripgrep(executable, basics()) if request.param == "with ripgrep" else None)


def fill(project: Path, names: Sequence[str], text: str) -> None:
    for name in names:
        (project / name).write_text(text, encoding="utf-8")


async def found(search: ProjectSearch, project: Path, pattern: str, *include: str, literal: bool = False) -> list[str]:
    page = FoundPage(0, 100)
    await search.text(ProjectFolder(str(project)), TextQuery(pattern=pattern, include=include, literal=literal), page)
    return [f"{line.path}:{line.number}" for line in page.lines]


async def test_text_is_found_with_and_without_globs(search: ProjectSearch, project: Path) -> None:
    fill(project, ["a.txt", "b.md"], "hay\nneedle (1)\n")
    assert await found(search, project, r"needle \(\d\)") == ["a.txt:2", "b.md:2"]
    assert await found(search, project, "needle", "*.md") == ["b.md:2"]
    assert await found(search, project, "needle", "!*.md") == ["a.txt:2"]
    assert await found(search, project, "needle (1)", literal=True) == ["a.txt:2", "b.md:2"]


async def test_an_empty_pattern_is_refused(search: ProjectSearch, project: Path) -> None:
    with pytest.raises(InvalidArgument, match="empty"):
        await found(search, project, "")


@pytest.mark.parametrize("pattern", ["[", "a(b", "(?=x)", r"(a)\1"])
async def test_a_bad_expression_is_explained(search: ProjectSearch, project: Path, pattern: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await found(search, project, pattern)
    assert repr(pattern) in refused.value.message
    assert "literal=true" in refused.value.hint


async def test_opencode_alone_says_that_ten_matches_are_not_all(opencode_alone: ProjectSearch, project: Path) -> None:
    fill(project, [f"{number:02}.txt" for number in range(12)], "needle\n")
    page = FoundPage(0, 100)
    assert not await opencode_alone.text(ProjectFolder(str(project)), TextQuery(pattern="needle"), page)
    assert page.taken == 10
    assert await opencode_alone.text(ProjectFolder(str(project)), TextQuery(pattern="def greet"), FoundPage(0, 100))


async def test_opencode_alone_fails_at_a_match_that_is_not_utf_8_and_the_reasons_are_named(
    opencode_alone: ProjectSearch, project: Path
) -> None:
    (project / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(BackendFailed, match="caf") as failed:
        await found(opencode_alone, project, "caf")
    assert "UTF-8" in failed.value.hint


async def test_files_are_found_by_words_and_by_globs(search: ProjectSearch, project: Path) -> None:
    async def listed() -> bool:
        return "src/greet.py" in (await search.files.find(ProjectFolder(str(project)), "greet")).paths

    await eventually(listed)
    by_words = await search.files.find(ProjectFolder(str(project)), "src gree")
    assert by_words.paths[0] == "src/greet.py"
    assert by_words.complete
    by_glob = await search.files.find(ProjectFolder(str(project)), "**/*.{py,md}")
    assert sorted(by_glob.paths) == ["README.md", "src/greet.py"]
    assert (await search.files.find(ProjectFolder(str(project)), "*.none")).paths == []


async def test_a_file_that_was_just_written_is_found(client: OpenCodeClient, project: Path) -> None:
    executable = find_ripgrep(basics())
    assert executable
    search = ProjectSearch(client, Ripgrep(executable, basics()))
    await search.files.find(ProjectFolder(str(project)), "greet")
    fill(project, ["src/brand_new.py"], "")
    assert (await search.files.find(ProjectFolder(str(project)), "src brand_new")).paths == ["src/brand_new.py"]
    assert (await search.files.find(ProjectFolder(str(project)), "src/brand_new")).paths == ["src/brand_new.py"]


async def test_folders_are_found_too(search: ProjectSearch, project: Path) -> None:
    async def listed() -> Sequence[str]:
        return (await search.files.find(ProjectFolder(str(project)), "doc", "directory")).paths

    assert (await eventually(listed))[0] == "docs/"
    assert (await search.files.find(ProjectFolder(str(project)), "d*", "directory")).paths == ["docs/"]


async def test_symbols_that_opencode_does_not_know_are_searched_as_definitions(
    search: ProjectSearch, project: Path
) -> None:
    fill(project, ["src/use.py"], "from greet import greet\n\ngreet('you')\n\n\nclass Greeter:\n    pass\n")
    symbols = await search.symbols(ProjectFolder(str(project)), "greet")
    assert not symbols.known
    assert symbols.complete
    assert [(one.name, one.kind, one.path, one.line) for one in symbols.definitions] == [
        ("greet", "function", "src/greet.py", 1),
        ("Greeter", "class", "src/use.py", 6),
    ]


async def test_the_last_part_of_a_qualified_name_is_searched(search: ProjectSearch, project: Path) -> None:
    symbols = await search.symbols(ProjectFolder(str(project)), "greet.greet")
    assert [one.path for one in symbols.definitions] == ["src/greet.py"]


async def test_a_query_without_a_name_is_refused(search: ProjectSearch, project: Path) -> None:
    with pytest.raises(InvalidArgument, match="names no symbol"):
        await search.symbols(ProjectFolder(str(project)), "--")


async def test_a_search_beside_a_long_path_does_not_end_opencode(
    search: ProjectSearch, client: OpenCodeClient, project: Path
) -> None:
    make_long_path(project)
    for words in ("gr", "greet", "a" * 20, "a" * 1000):
        found = await search.files.find(ProjectFolder(str(project)), words)
        assert found.complete
        assert ("src/greet.py" in found.paths) == words.startswith("gr")
    assert (await search.files.find(ProjectFolder(str(project)), "*.py")).paths == ["src/greet.py"]
    await client.path(str(project))


async def test_what_git_ignores_is_not_found_by_words(search: ProjectSearch, project: Path) -> None:
    (project / ".gitignore").write_text("hidden*\n", encoding="utf-8")
    fill(project, ["hidden_needle.txt", "needle.txt"], "")
    assert (await search.files.find(ProjectFolder(str(project)), "needle")).paths == ["needle.txt"]


async def test_a_folder_inside_a_project_is_searched_alone(search: ProjectSearch, project: Path) -> None:
    (project / "lib" / "inner").mkdir(parents=True)
    fill(project, ["lib/inner/greet_again.py"], "")
    place = ProjectFolder(str(project), "lib")
    assert (await search.files.find(place, "greet")).paths == ["inner/greet_again.py"]
    assert (await search.files.find(place, "inn")).paths == ["inner/", "inner/greet_again.py"]
    assert (await search.files.find(place, "", "directory")).paths == ["inner/"]


async def test_a_query_that_is_too_long_is_refused(search: ProjectSearch, project: Path) -> None:
    with pytest.raises(InvalidArgument, match="1,001 characters"):
        await search.files.find(ProjectFolder(str(project)), "a" * 1001)


async def test_without_ripgrep_a_project_of_many_folders_is_searched_in_part(
    opencode_alone: ProjectSearch, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_search, "MOST_FOLDERS", 3)
    for number in range(5):
        (project / f"part{number}").mkdir()
        fill(project, [f"part{number}/needle.txt"], "")
    found = await opencode_alone.files.find(ProjectFolder(str(project)), "needle")
    assert not found.complete
    assert (await opencode_alone.files.find(ProjectFolder(str(project)), "part4")).paths == ["part4/"]


async def test_no_name_behind_a_link_out_of_the_project_is_found(
    search: ProjectSearch, project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "treasure.txt").write_text("needle\n", encoding="utf-8")
    (project / "away").symlink_to(outside)
    (project / "file-away").symlink_to(outside / "inner" / "treasure.txt")
    (project / "docs" / "above").symlink_to(outside.parent)
    for query in ("treasure", "inner", "away/inner/*", "**/treasure.txt", "docs/above/**/*.txt"):
        for kind in ("", "file", "directory"):
            assert (await search.files.find(ProjectFolder(str(project)), query, kind)).paths == []
    assert await found(search, project, "needle") == []
