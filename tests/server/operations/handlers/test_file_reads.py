"""A file that OpenCode reads after the check is returned only if it is in the project, however links are replaced."""

import base64
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.errors import BackendFailed, BridgeError, InvalidArgument
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.server.operations.handlers.file_reads import ATTEMPTS, list_folder, read_file
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.workspace.files import ProjectFiles
from tests.harness.operations import operation

pytestmark = pytest.mark.anyio

SECRET = "secret outside"
Answer = Callable[[Path], object]


def as_text(path: Path) -> object:
    return {"type": "text", "content": path.read_text(encoding="utf-8").strip()}


def as_binary(path: Path) -> object:
    return {"type": "binary", "content": base64.b64encode(path.read_bytes()).decode(), "encoding": "base64"}


def as_it_is(path: Path) -> object:
    return path.read_bytes().decode(errors="replace")


def rows(path: Path) -> object:
    return [{"name": one.name, "path": f"docs/{one.name}/"} for one in path.iterdir()]


def entries(path: Path) -> object:
    return {"location": {}, "data": [{"path": f"docs/{one.name}", "type": "file"} for one in path.iterdir()]}


def resolved(directory: str, name: str) -> Path:
    return Path(directory, name).resolve()


class Place:
    """A project with something outside, and an OpenCode that reads in it as its rule says."""

    def __init__(self, tmp_path: Path) -> None:
        self.project, self.outside = tmp_path / "project", tmp_path / "outside"
        for folder, words in ((self.project, '"inside"'), (self.outside, f'"{SECRET}"')):
            (folder / "docs").mkdir(parents=True)
            (folder / "docs" / "notes.json").write_text(words, encoding="utf-8")
        (self.outside / "docs" / "treasure").touch()
        self.reads = 0
        self.files = ProjectFiles(cast("Any", None), remote=False)
        self.settings = SimpleNamespace(remote=False)
        self.fence = SimpleNamespace(relative=self._relative)
        self.operations = SimpleNamespace(send=self._send)

    async def _relative(self, directory: str, name: str) -> str:
        path = resolved(directory, name)
        assert path.is_relative_to(directory), "the check itself refuses what leads outside by then"
        return path.relative_to(directory).as_posix()

    async def _send(self, _operation: object, _call: object, **_options: object) -> SimpleNamespace:
        self.reads += 1
        return SimpleNamespace(value=self.answer(), cursor="")

    def answer(self) -> object:
        """Return OpenCode's reply."""
        raise NotImplementedError

    async def call(self, name: str, **arguments: object) -> OperationResult:
        """Call an operation as a caller does."""
        row = operation(name)
        ctx = SimpleNamespace(request_context=SimpleNamespace(lifespan_context=self))
        call = split(row, arguments)._replace(directory=str(self.project))
        perform = list_folder if name.endswith("list") else read_file
        return await perform(OperationRequest(cast("Any", ctx), row, call, {}))


READS: list[tuple[str, str, Answer]] = [
    ("file.read", "docs/notes.json", as_text),
    ("file.read", "docs/notes.json", as_binary),
    ("v2.fs.read", "docs/notes.json", as_it_is),
    ("file.list", "docs", rows),
    ("v2.fs.list", "docs", entries),
]
EVERY_READ = pytest.mark.parametrize(("name", "path", "reads"), READS)


def swapped(place: Place, path: str) -> Path:
    """Put a link in the place of a file, and return the new path of the file."""
    inside = place.project / path
    kept = inside.with_name("kept")
    inside.rename(kept)
    inside.symlink_to(place.outside / path)
    return kept


@EVERY_READ
@pytest.mark.parametrize("swaps_back", [True, False], ids=["and back", "for good"])
@pytest.mark.parametrize("at", ["file", "folder"])
async def test_a_link_that_is_swapped_in_after_the_check_shows_nothing_from_outside(
    tmp_path: Path, name: str, path: str, reads: Answer, at: str, *, swaps_back: bool
) -> None:
    place = Place(tmp_path)
    target = path if at == "file" else "docs"

    def answer() -> object:
        if (place.project / target).is_symlink():
            return reads(place.project / path)
        kept = swapped(place, target)
        seen = reads(place.project / path)
        if swaps_back:
            (place.project / target).unlink()
            kept.rename(place.project / target)
        return seen

    place.answer = answer
    with pytest.raises((BridgeError, AssertionError)) as refused:
        await place.call(name, path=path)
    assert SECRET not in str(refused.value)
    assert place.reads <= ATTEMPTS


@EVERY_READ
async def test_what_is_inside_is_passed_on_as_opencode_says_it(
    tmp_path: Path, name: str, path: str, reads: Answer
) -> None:
    place = Place(tmp_path)
    place.answer = lambda: reads(place.project / path)
    assert (await place.call(name, path=path)).value == reads(place.project / path)
    assert place.reads == 1


@EVERY_READ
async def test_what_is_written_meanwhile_is_read_again(tmp_path: Path, name: str, path: str, reads: Answer) -> None:
    place = Place(tmp_path)

    def answer() -> object:
        seen = reads(place.project / path)
        if place.reads == 1 and (place.project / path).is_dir():
            (place.project / path / "notes.json").rename(place.project / path / "renamed.json")
        elif place.reads == 1:
            (place.project / path).write_text('"other"', encoding="utf-8")
        return seen

    place.answer = answer
    assert (await place.call(name, path=path)).value == reads(place.project / path)


async def test_a_file_that_never_stays_the_same_is_an_error(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.answer = lambda: {"type": "text", "content": "something else"}
    with pytest.raises(BackendFailed, match="changed while it was read"):
        await place.call("file.read", path="docs/notes.json")


async def test_a_missing_file_reads_as_opencode_says(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.answer = lambda: {"type": "text", "content": ""}
    assert (await place.call("file.read", path="docs/none.txt")).value == {"type": "text", "content": ""}


async def test_a_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="workspace"):
        await Place(tmp_path).call("file.read", path="docs/notes.json", workspace="wrk_1")
