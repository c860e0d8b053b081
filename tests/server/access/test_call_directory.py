"""Directory of a call of an operation, above all if only patterns are allowed and there is no default."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments, arguments_of
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.server.access.argument_values import RULES
from opencode_mcp.server.access.call_directory import directory_of, needed
from opencode_mcp.server.access.fence import Fence
from opencode_mcp.settings import Settings

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio

EVERY = [operation for table in TABLES.values() for operation in table.operations.values()]


class OneSession:
    """A client whose only session works in one directory."""

    def __init__(self, directory: str) -> None:
        self._session = SimpleNamespace(id="ses_1", directory=directory)

    async def session_get(self, _session_id: str, _directory: str = "") -> SimpleNamespace:
        """Return the session."""
        return self._session


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The only directory that fits the listed pattern."""
    (tmp_path / "all" / "shop").mkdir(parents=True)
    return str(tmp_path / "all" / "shop")


@pytest.fixture
def fence(tmp_path: Path, shop: str) -> Fence:
    settings = Settings(directories=(f"{tmp_path}/all/*",), started_in=tmp_path)
    return Fence(settings, cast("OpenCodeClient", OneSession(shop)), place_of=lambda _: shop)


def with_place(operation: Operation, place: str, value: str) -> Mapping[str, object]:
    """Arguments with a value at a place such as ``location.directory``."""
    name, _, rest = place.partition(".")
    return {name: with_place(operation, rest, value) if rest else value}


def a_place_in(operation: Operation, directory: str) -> tuple[Mapping[str, object], str]:
    """The arguments, and the argument ``directory``, with which a caller can say where a call takes place."""
    if "sessionID" in arguments_of(operation):
        return {"sessionID": "ses_1"}, ""
    for place in RULES[operation.generation].directories.get(operation.id, ()):
        return with_place(operation, place, directory), ""
    return {}, directory if operation.scope != "none" else ""


def takes_a_place(operation: Operation) -> bool:
    return a_place_in(operation, "/any") != ({}, "")


async def test_no_operation_is_out_of_reach_if_only_patterns_are_listed(fence: Fence, shop: str) -> None:
    for operation in EVERY:
        arguments, named = a_place_in(operation, shop)
        found = await directory_of(fence, operation, arguments, SplitArguments({}, {}, None, named))
        assert found == (shop if takes_a_place(operation) else ""), operation.id


def test_what_is_relative_to_a_directory_is_an_argument_of_an_operation_that_takes_one() -> None:
    for operation in EVERY:
        rules = RULES[operation.generation]
        own = {operation.id: [operation.id]} if operation.id in rules.own_directories else {}
        for places in (rules.files, rules.shell_lines, rules.commands, rules.workspaces, own):
            assert operation.id not in places or takes_a_place(operation), operation.id


async def test_an_operation_that_takes_a_directory_needs_one_if_only_patterns_are_listed(fence: Fence) -> None:
    nothing = SplitArguments({}, {}, None, "")
    with pytest.raises(InvalidArgument, match="No directory is named"):
        await directory_of(fence, TABLES[2].operation("file.list"), {}, nothing)
    for name, argument in (("session.create", "location.directory"), ("session.stats", "project")):
        with pytest.raises(InvalidArgument) as refused:
            await needed(fence, TABLES[2].operation(name), "")
        assert f"`{argument}`" in refused.value.hint


async def test_a_listed_directory_is_the_default_of_an_operation_that_takes_none(shop: str) -> None:
    fence = Fence(Settings(directories=(shop,)), cast("OpenCodeClient", OneSession(shop)))
    for name in ("server.info", "session.create"):
        operation = TABLES[2].operation(name)
        assert await directory_of(fence, operation, {}, SplitArguments({}, {}, None, "")) == shop
