"""Looking at folders and files over stdio."""

import base64
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import pytest
from mcp_types import ImageContent, ResourceLink

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")


@pytest.fixture
def folder(workplace: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of this test, and of this try of it, alone in the shared project."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    path = workplace / "looked at" / f"{name} {uuid4().hex}"
    path.mkdir(parents=True)
    yield path
    # Other tests ask for the diff of the whole project, which a large new file slows down.
    rmtree(path, ignore_errors=True)


def relative(path: Path, workplace: Path) -> str:
    return path.relative_to(workplace).as_posix()


@pytest.mark.both_generations
async def test_a_text_is_read_by_numbered_lines(host: Host) -> None:
    read = await host.data("opencode_read_file", path="src/greet.py")
    assert read["text"].splitlines() == [
        "     1  def greet(name: str) -> str:",
        '     2      """Greet somebody."""',
        '     3      return f"Hello, {name}"',
    ]
    assert (read["first"], read["last"], read["lines"]) == (1, 3, 3)
    assert "note" not in read


async def test_lines_are_numbered_as_editors_do_also_where_the_file_begins_with_empty_ones(
    host: Host, folder: Path, workplace: Path
) -> None:
    (folder / "spaces.txt").write_bytes(b"\n\n  indented\r\nlast\x0cline\n")
    read = await host.data("opencode_read_file", path=relative(folder / "spaces.txt", workplace))
    assert read["text"].split("\n") == ["     1  ", "     2  ", "     3    indented", "     4  last\x0cline"]


@pytest.mark.both_eras
async def test_a_part_says_how_to_go_on_and_links_to_the_whole(host: Host) -> None:
    result = await host.bridge.call("opencode_read_file", path="docs/notes.txt", lines=2)
    assert text_of(result).endswith("It has 3 lines; go on with first=3.")
    assert data_of(result)["note"] == "It has 3 lines; go on with first=3."
    (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
    assert link.uri == "opencode://file/docs/notes.txt"
    rest = await host.data("opencode_read_file", path="docs/notes.txt", first=3)
    assert rest["text"] == "     3  three"
    assert rest["note"] == "(end of file: 3 lines)"


async def test_pages_of_a_5_mb_file_joined_are_the_whole(host: Host, folder: Path, workplace: Path) -> None:
    every = [f"line {number} {'x' * 90}" for number in range(1, 50_001)]
    (folder / "large.txt").write_text("\n".join(every), encoding="utf-8")
    path = relative(folder / "large.txt", workplace)

    first = await host.data("opencode_read_file", path=path, lines=5000)
    assert len(first["text"]) <= 40_000
    assert first["last"] < 5000, "a page is also bounded by its length"
    second = await host.data("opencode_read_file", path=path, first=first["last"] + 1, lines=10)
    read = [line[8:] for page in (first, second) for line in page["text"].splitlines()]
    assert read == every[: second["last"]]
    end = await host.data("opencode_read_file", path=path, first=49_999)
    assert end["text"].splitlines()[-1][8:] == every[-1]


async def test_pages_of_a_text_that_is_long_in_bytes_joined_are_the_whole(
    host: Host, folder: Path, workplace: Path
) -> None:
    every = [f'{number} "日本語のテキスト" \\ {"漢" * 300}' for number in range(1, 101)]
    (folder / "wide.txt").write_text("\n".join(every), encoding="utf-8")
    read: list[str] = []
    while len(read) < len(every):
        page = await host.data(
            "opencode_read_file", path=relative(folder / "wide.txt", workplace), first=len(read) + 1, lines=5000
        )
        read += [line[8:] for line in page["text"].splitlines()]
        assert page["last"] == len(read)
    assert read == every


async def test_a_line_after_the_end_is_refused_with_the_number_of_lines(host: Host) -> None:
    assert "has 3 lines: there is no line 9" in await host.error("opencode_read_file", path="docs/notes.txt", first=9)


@pytest.mark.both_generations
async def test_an_empty_file_is_distinguished_from_a_missing_one(host: Host, folder: Path, workplace: Path) -> None:
    (folder / "empty.txt").touch()
    path = relative(folder / "empty.txt", workplace)
    assert "is empty" in await host.text("opencode_read_file", path=path)
    missing = await host.error("opencode_read_file", path=path.replace("empty.txt", "emty.txt"))
    assert "There is no file" in missing
    assert path in missing, "the nearest names are listed"


@pytest.mark.both_generations
async def test_a_file_named_without_its_folder_is_found_nearby(host: Host) -> None:
    assert "src/greet.py" in await host.error("opencode_read_file", path="greet.py")


@pytest.mark.both_generations
async def test_a_folder_where_a_file_was_meant_is_listed(host: Host) -> None:
    read = await host.data("opencode_read_file", path="src")
    assert read["entries"] == ["greet.py"]


@pytest.mark.both_eras
async def test_an_image_is_shown_as_one_and_not_hidden_behind_data(host: Host, folder: Path, workplace: Path) -> None:
    (folder / "dot.png").write_bytes(PNG)
    result = await host.bridge.call("opencode_read_file", path=relative(folder / "dot.png", workplace))
    (image,) = [block for block in result.content if isinstance(block, ImageContent)]
    assert (image.mime_type, base64.b64decode(image.data)) == ("image/png", PNG)
    assert result.structured_content is None, "several hosts show nothing else where it is there"


async def test_a_binary_file_is_reported_with_type_and_size_and_not_shown(
    host: Host, folder: Path, workplace: Path
) -> None:
    (folder / "data.zip").write_bytes(b"PK\x03\x04" + bytes(4000))
    read = await host.data("opencode_read_file", path=relative(folder / "data.zip", workplace))
    assert (read["media_type"], read["size"]) == ("application/zip", 4004)
    assert "text" not in read


async def test_a_text_in_another_encoding_is_read_as_far_as_it_goes(host: Host, folder: Path, workplace: Path) -> None:
    (folder / "latin.txt").write_bytes("café\n".encode("latin-1"))
    read = await host.data("opencode_read_file", path=relative(folder / "latin.txt", workplace))
    assert read["text"] == "     1  caf\ufffd"
    assert "UTF-8" in read["note"]


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.txt", "src/../../outside.txt", ""])
async def test_a_path_outside_the_project_is_refused(host: Host, path: str) -> None:
    assert "There is no" not in await host.error("opencode_read_file", path=path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
async def test_a_link_that_leads_out_of_the_project_is_refused(host: Host, folder: Path, workplace: Path) -> None:
    outside = workplace.parent / f"{folder.name}.txt"
    outside.write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside)
    assert "outside of what is allowed" in await host.error(
        "opencode_read_file", path=relative(folder / "link.txt", workplace)
    )


async def test_a_folder_is_listed_folders_first(host: Host, folder: Path, workplace: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (folder / name).touch()
    (folder / "z").mkdir()
    listed = await host.data("opencode_read_file", path=relative(folder, workplace))
    assert listed["entries"] == ["z/", "a.txt", "b.txt"]
    assert listed["cursor"] == ""


@pytest.mark.both_generations
async def test_a_folder_is_listed_with_sizes_and_says_what_is_left_out(
    host: Host, folder: Path, workplace: Path
) -> None:
    (folder / ".hidden").write_bytes(b"x" * 1500)
    (folder / "two  words.txt").write_bytes(b"x" * 12)
    (folder / "deep").mkdir()
    path = relative(folder, workplace)
    listed = await host.data("opencode_read_file", path=path)
    assert (listed["entries"], listed["sizes"]) == (["deep/", ".hidden", "two  words.txt"], [None, 1500, 12])
    assert (await host.text("opencode_read_file", path=path)).splitlines() == [
        "deep/",
        ".hidden  1.5 KB",
        "two  words.txt  12 bytes",
        "3 entries; hidden and ignored ones are included, .git and links left out.",
    ]
    assert "is an empty folder" in await host.text("opencode_read_file", path=f"{path}/deep")


async def test_a_page_of_a_folder_is_never_cut_whatever_the_names(host: Host, folder: Path, workplace: Path) -> None:
    for number in range(1500):
        (folder / f"{number}").touch()
    path = relative(folder, workplace)
    entries: list[str] = []
    page = {"cursor": ""}
    while page["cursor"] or not entries:
        page = await host.data("opencode_read_file", path=path, lines=5000, cursor=page["cursor"])
        assert "left_out" not in page
        entries += page["entries"]
    assert sorted(entries, key=int) == [str(number) for number in range(1500)]


async def test_a_cursor_is_refused_for_a_file(host: Host) -> None:
    assert "Use `first`" in await host.error("opencode_read_file", path="docs/notes.txt", cursor="a.txt")


@pytest.mark.both_generations
async def test_a_cursor_that_is_not_from_a_page_of_a_folder_is_refused(host: Host) -> None:
    for cursor in ("garbage", "50"):
        error = await host.error("opencode_read_file", path="docs", cursor=cursor)
        assert f"The cursor '{cursor}' is not from a page of this tool. Leave it out for the first page." in error


async def test_git_s_own_folder_is_left_out_and_ignored_files_are_marked(host: Host, workplace: Path) -> None:
    (workplace / ".gitignore").write_text("ignored.log\n", encoding="utf-8")
    (workplace / "ignored.log").touch()
    listed = await host.data("opencode_read_file", path=".")
    assert ".git/" not in listed["entries"]
    assert listed["ignored"] == ["ignored.log"]
    assert "ignored.log  0 bytes (ignored by git)" in await host.text("opencode_read_file", path=".")


async def test_pages_of_a_folder_joined_are_the_whole_though_files_come_and_go(
    host: Host, folder: Path, workplace: Path
) -> None:
    names = [f"{number:02}.txt" for number in range(10)]
    for name in names:
        (folder / name).touch()
    path = relative(folder, workplace)

    first = await host.data("opencode_read_file", path=path, lines=4)
    (folder / names[1]).unlink()
    (folder / "00a.txt").touch()
    (folder / names[3]).unlink()
    rest: list[str] = []
    cursor = first["cursor"]
    while cursor:
        page = await host.data("opencode_read_file", path=path, lines=4, cursor=cursor)
        rest += page["entries"]
        cursor = page["cursor"]
    assert first["entries"] + rest == names


@pytest.mark.both_generations
async def test_similar_folders_of_a_missing_one_are_named(host: Host) -> None:
    assert "docs/" in await host.error("opencode_read_file", path="doc")


async def test_500_mb_take_no_memory_with_them(launch: Launch, project: Path, opencode_server: OpenCode) -> None:
    block = "".join(f"{number:>99}\n" for number in range(10_000))
    with (project / "huge.txt").open("w", encoding="utf-8") as file:
        for _ in range(500):
            file.write(block)
    try:
        async with open_bridge(launch.as_installed()) as connected:
            await connected.call("opencode_read_file", path=".")
            before = sizes(connected, opencode_server)
            read = data_of(await connected.call("opencode_read_file", path="huge.txt", first=4_000_000, lines=2))
            found = data_of(await connected.call("opencode_find_text", pattern="  9999$", limit=2))
            after = sizes(connected, opencode_server)
    finally:
        (project / "huge.txt").unlink()
    assert [line.split()[-1] for line in read["text"].splitlines()] == ["9999", "0"]
    assert [match["line"] for match in found["matches"]] == [10_000, 20_000]
    grown = [late - early for early, late in zip(before, after, strict=True)]
    assert all(size < 100 for size in grown), f"MB: {grown}"


def sizes(connected: Bridge, server: OpenCode) -> Sequence[int]:
    """Return the memory of the bridge and of OpenCode, in MB; nothing if the system does not report it."""
    if not Path("/proc").is_dir():
        return []
    return [_resident(pid) for pid in (*_bridges_of(connected.launch), server.process.pid)]


def _bridges_of(launch: Launch) -> list[int]:
    """The processes whose state folder is this launch's."""
    mark = f"OPENCODE_MCP_STATE={launch.environment['OPENCODE_MCP_STATE']}".encode()
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
