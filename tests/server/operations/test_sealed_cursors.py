"""Cursors that name a session work only for the caller that got them, and reveal nothing."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.server.operations.sealed_cursors import SEALED, SealedCursors
from opencode_mcp.server.tokens.token_codec import TokenCodec
from opencode_mcp.settings import Settings

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.text.json_types import JsonMap

CURSOR = "eyJpZCI6InNlc18xIn0"
LISTS = [TABLES[generation].operation(name) for generation, name in SEALED.items()]


def of(operation: "Operation", folder: Path, principal: str) -> SealedCursors:
    settings = replace(Settings(), state_directory=folder, principal=principal)
    return SealedCursors(operation, settings)


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: f"{operation.generation} {operation.id}")
def test_a_cursor_is_sealed_for_the_caller_that_gets_it(operation: "Operation", tmp_path: Path) -> None:
    anna, bert = (of(operation, tmp_path, name) for name in ("anna", "bert"))
    reply = cast("JsonMap", anna.sealed({"data": [], "cursor": {"next": CURSOR, "previous": None}}))
    cursors = cast("JsonMap", reply["cursor"])
    assert CURSOR not in str(reply)
    assert cursors["previous"] is None
    call = split(operation, {"cursor": cursors["next"], "limit": 1})
    assert anna.opened(call).query == {"cursor": CURSOR, "limit": 1}
    task = TokenCodec(tmp_path, "anna").seal(b'{"is": "task"}')
    for other, cursor in ((bert, cursors["next"]), (anna, CURSOR), (anna, task)):
        with pytest.raises(InvalidArgument, match="none of a page of this list"):
            other.opened(split(operation, {"cursor": cursor}))


@pytest.mark.parametrize("generation", SEALED)
def test_other_replies_stay_as_they_are(generation: "Generation", tmp_path: Path) -> None:
    messages = next(one for one in TABLES[generation].operations.values() if "message" in one.id)
    reply: JsonMap = {"data": [], "cursor": {"next": CURSOR}}
    assert of(messages, tmp_path, "anna").sealed(reply) is reply
    assert of(LISTS[generation - 1], tmp_path, "anna").sealed([1]) == [1]
