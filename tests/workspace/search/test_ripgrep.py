"""Searching with ripgrep: order, context, globs, what it complains of, and that it ends when nobody reads on."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.workspace.project_folder import ProjectFolder
from opencode_mcp.workspace.search.found_lines import FoundLine, FoundPage, TextQuery
from opencode_mcp.workspace.search.ripgrep import LINE_BYTES, Ripgrep
from opencode_mcp.workspace.search.ripgrep_executable import find_ripgrep
from tests.harness.processes.isolation import basics
from tests.harness.project import FILES
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def ripgrep() -> Ripgrep:
    executable = find_ripgrep(basics())
    assert executable, "ripgrep is missing: run `make setup`."
    return Ripgrep(executable, basics())


async def search(ripgrep: Ripgrep, directory: Path, pattern: str, limit: int = 100, **more: object) -> FoundPage:
    query = TextQuery(pattern=pattern, **more)  # pyright: ignore[reportArgumentType] - the fields of a query
    page = FoundPage(0, limit, query.context)
    with anyio.fail_after(30):
        await ripgrep.search(ProjectFolder(str(directory)), query, page.add)
    return page


def places(page: FoundPage) -> list[tuple[str, int]]:
    return [(line.path, line.number) for line in page.lines]


async def test_matches_come_in_the_order_of_paths_and_lines(ripgrep: Ripgrep, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("needle\nhay\nneedle\n", encoding="utf-8")
    page = await search(ripgrep, tmp_path, "needle")
    assert places(page) == [(name, number) for name in ("a.txt", "b.txt", "c/d.txt") for number in (1, 3)]


async def test_context_is_distinguished_from_matches(ripgrep: Ripgrep, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1: before\nneedle: here\n3-after\n", encoding="utf-8")
    page = await search(ripgrep, tmp_path, "needle", context=1)
    assert page.lines == [
        FoundLine("a.txt", 1, "1: before", matched=False),
        FoundLine("a.txt", 2, "needle: here"),
        FoundLine("a.txt", 3, "3-after", matched=False),
    ]


async def test_globs_choose_files_and_leave_files_out(ripgrep: Ripgrep, project: Path) -> None:
    everywhere = await search(ripgrep, project, "e")
    assert {path for path, _ in places(everywhere)} == set(FILES)
    chosen = await search(ripgrep, project, "e", include=("*.py", "*.txt", "!docs/**"))
    assert {path for path, _ in places(chosen)} == {"src/greet.py"}


async def test_hidden_files_are_searched_and_ignored_ones_and_git_s_own_are_not(
    ripgrep: Ripgrep, project: Path
) -> None:
    (project / ".gitignore").write_text("ignored.txt\n", encoding="utf-8")
    (project / "ignored.txt").write_text("needle\n", encoding="utf-8")
    (project / ".hidden").write_text("needle\n", encoding="utf-8")
    (project / ".git" / "needle.txt").write_text("needle\n", encoding="utf-8")
    assert places(await search(ripgrep, project, "needle")) == [(".hidden", 1)]


async def test_a_file_that_is_not_utf_8_is_searched_too(ripgrep: Ripgrep, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "data.bin").write_bytes(b"caf\x00\xe9\n")
    page = await search(ripgrep, tmp_path, "caf")
    assert [(line.path, line.text) for line in page.lines] == [("latin.txt", "caf\ufffd")]


async def test_a_long_line_is_cut(ripgrep: Ripgrep, tmp_path: Path) -> None:
    (tmp_path / "minified.js").write_text("needle" * 100_000, encoding="utf-8")
    (line,) = (await search(ripgrep, tmp_path, "needle")).lines
    assert len(line.text) < 2 * LINE_BYTES


async def test_a_plain_text_may_look_like_an_expression_or_a_flag(ripgrep: Ripgrep, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("f(x)[\n--files\n", encoding="utf-8")
    assert places(await search(ripgrep, tmp_path, "f(x)[", literal=True)) == [("a.txt", 1)]
    assert places(await search(ripgrep, tmp_path, "--files")) == [("a.txt", 2)]


async def test_matches_of_one_file_can_be_limited(ripgrep: Ripgrep, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("needle\n" * 5, encoding="utf-8")
    page = await search(ripgrep, tmp_path, "needle", per_file=2)
    assert places(page) == [("a.txt", 1), ("a.txt", 2), ("b.txt", 1), ("b.txt", 2)]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[", "unclosed character class"),
        ("a(b", "unclosed group"),
        ("(?=x)", "look-around"),
        ("a\nb", "not allowed in a regex"),
    ],
)
async def test_a_bad_expression_is_refused_with_the_reason(
    ripgrep: Ripgrep, project: Path, pattern: str, reason: str
) -> None:
    with pytest.raises(InvalidArgument, match=reason) as refused:
        await search(ripgrep, project, pattern)
    assert "\n" not in refused.value.message
    assert "literal=true" in refused.value.hint


async def test_a_bad_glob_is_refused_as_one(ripgrep: Ripgrep, project: Path) -> None:
    with pytest.raises(InvalidArgument, match="A glob is invalid"):
        await search(ripgrep, project, "e", include=("[",))


async def test_a_search_ends_when_enough_is_taken(ripgrep: Ripgrep, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.txt").write_text("needle\n" * 2000, encoding="utf-8")
    page = await search(ripgrep, tmp_path, "needle", limit=3)
    assert page.taken == 3
    assert page.more


@pytest.mark.skipif(sys.platform == "win32", reason="a script replaces a search that takes long")
async def test_a_search_that_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    script, mark = tmp_path / "rg", tmp_path / "pid"
    lines = ["import os, time", f"open({str(mark)!r}, 'w').write(f'{{os.getpid()}} ')", "time.sleep(600)"]
    script.write_text("\n".join([f"#!{sys.executable}", *lines]), encoding="utf-8")
    script.chmod(0o755)

    async def started() -> str:
        return mark.read_text(encoding="utf-8") if mark.exists() else ""

    async def is_gone() -> bool:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        return False

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(search, Ripgrep(script, basics()), tmp_path, "x")
        pid = await eventually(started)
        tasks.cancel_scope.cancel()
    await eventually(is_gone)


async def test_a_search_cancelled_before_it_began_leaves_nothing(ripgrep: Ripgrep, project: Path) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await search(ripgrep, project, "e")
    assert scope.cancelled_caught


async def test_an_executable_that_does_not_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BackendFailed, match="does not run"):
        await search(Ripgrep(tmp_path / "none", basics()), tmp_path, "x")


async def test_files_come_in_order_until_enough_are_taken(ripgrep: Ripgrep, project: Path) -> None:
    (project / "src" / "a.py").touch()
    paths: list[str] = []

    def taker(enough: int) -> Callable[[str], bool]:
        def take(path: str) -> bool:
            paths.append(path)
            return len(paths) < enough

        return take

    await ripgrep.files(ProjectFolder(str(project)), "src/**/*.py", taker(10))
    assert paths == ["src/a.py", "src/greet.py"]
    paths.clear()
    await ripgrep.files(ProjectFolder(str(project)), "*", taker(1))
    assert len(paths) == 1


def test_it_is_found_along_the_path_and_in_what_opencode_downloaded(tmp_path: Path) -> None:
    name = "rg.exe" if sys.platform == "win32" else "rg"
    downloaded = tmp_path / "cache" / "opencode" / "bin" / name
    on_path = tmp_path / "bin" / name
    for path in (downloaded, on_path):
        path.parent.mkdir(parents=True)
        path.touch(mode=0o755)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert find_ripgrep({"PATH": os.pathsep.join(["relative", str(on_path.parent)]), **cache}) == on_path
    beside = Path(sys.executable).parent / name
    assert find_ripgrep({"PATH": "", **cache}) == (beside if beside.exists() else downloaded)


async def test_a_repository_s_own_configuration_of_ripgrep_is_ignored(project: Path, tmp_path: Path) -> None:
    settings = tmp_path / "ripgreprc"
    settings.write_text("--max-count=0\n", encoding="utf-8")
    executable = find_ripgrep(basics())
    assert executable
    ripgrep = Ripgrep(executable, {**basics(), "RIPGREP_CONFIG_PATH": str(settings)})
    assert places(await search(ripgrep, project, "def greet")) == [("src/greet.py", 1)]


# Names that could pass for others

LINE_ENDS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")


@LINE_ENDS
async def test_names_with_line_ends_are_listed_whole(ripgrep: Ripgrep, tmp_path: Path) -> None:
    names = ["one\ntwo.txt", "a\n./b", "plain.txt", "\n", "end\r\n"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("needle\n", encoding="utf-8")
    listed: list[str] = []
    await ripgrep.files(ProjectFolder(str(tmp_path)), "", lambda path: listed.append(path) is None)
    assert sorted(listed) == sorted(names)


@LINE_ENDS
async def test_no_match_is_reported_from_a_file_that_only_a_part_of_a_name_names(
    ripgrep: Ripgrep, tmp_path: Path
) -> None:
    (tmp_path / "b").write_text("nothing\n", encoding="utf-8")
    for name in ("a\n./b", "x\nb", "y\r./b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("needle\n", encoding="utf-8")
    (tmp_path / "c").write_text("needle\n", encoding="utf-8")
    for include in ((), ("**",), ("*b*", "*c*")):
        assert places(await search(ripgrep, tmp_path, "needle", include=include)) == [("c", 1)]


@LINE_ENDS
async def test_nothing_behind_a_link_out_of_the_folder_is_listed_or_searched(ripgrep: Ripgrep, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "secret.txt").write_text("needle\n", encoding="utf-8")
    inside.mkdir()
    (inside / "file").symlink_to(outside / "folder" / "secret.txt")
    (inside / "folder").symlink_to(outside / "folder")
    (inside / "parent").symlink_to("..")
    for glob in ("", "**", "folder/*", "folder/secret.txt", "../outside/**", "*/*/secret.txt"):
        listed: list[str] = []
        await ripgrep.files(ProjectFolder(str(inside)), glob, lambda path, listed=listed: listed.append(path) is None)
        assert listed == []
        assert places(await search(ripgrep, inside, "needle", include=(glob,) if glob else ())) == []
