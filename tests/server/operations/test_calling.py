"""A long call reports progress, and a refusal of OpenCode's is explained with the facts of the operation."""

import json
from typing import TYPE_CHECKING, cast

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, BridgeError, NotFound
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.operations import calling
from opencode_mcp.server.operations.calling import find, offered_schema, perform_with_progress, without_nulls
from opencode_mcp.server.operations.handlers.handler import OperationHandler, OperationRequest, OperationResult
from opencode_mcp.server.operations.handlers.handler_table import HANDLERS, handler_of
from opencode_mcp.server.results.render import explain
from tests.harness.each import for_each
from tests.harness.operations import operation

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import BridgeContext

pytestmark = pytest.mark.anyio
EVERY = for_each("item", [item for table in TABLES.values() for item in table.operations.values()])


class Listener:
    """A host that receives progress."""

    def __init__(self) -> None:
        self.request_context = None
        self.lines: list[str] = []
        self.reported = anyio.Event()

    async def report_progress(self, progress: float, total: float | None, message: str) -> None:
        """Note a line."""
        assert progress >= 0
        assert total is None
        self.lines.append(message)
        self.reported.set()


def request(listener: Listener, name: str = "session.status") -> OperationRequest:
    item = operation(name)
    return OperationRequest(cast("BridgeContext", listener), item, split(item, {}), {})


async def test_a_long_call_reports_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "HEARTBEAT_SECONDS", 0.01)
    listener = Listener()

    async def perform(_request: OperationRequest) -> OperationResult:
        await listener.reported.wait()
        return OperationResult("done")

    with anyio.fail_after(10):
        outcome = await perform_with_progress(request(listener), OperationHandler(perform))
    assert outcome.value == "done"
    assert listener.lines[0] == "waiting for session.status (0 s)"


async def test_a_short_call_reports_nothing() -> None:
    listener = Listener()

    async def perform(_request: OperationRequest) -> OperationResult:
        return OperationResult("done")

    await perform_with_progress(request(listener), OperationHandler(perform))
    assert listener.lines == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BackendFailed("It broke."), "It broke. Note on session.status: A session that"),
        (NotFound("There is none."), "There is none."),
    ],
)
async def test_a_refusal_comes_as_it_is_with_what_is_known(error: BridgeError, said: str) -> None:
    async def perform(_request: OperationRequest) -> OperationResult:
        raise error

    with pytest.raises(type(error)) as caught:
        await perform_with_progress(request(Listener()), OperationHandler(perform))
    assert caught.value is error
    assert error.message.startswith(said)


@pytest.mark.parametrize(
    ("name", "arguments", "hint"),
    [
        ("session.status", {}, "opencode_status shows whether OpenCode answers."),
        ("instance.dispose", {}, "opencode_status shows whether OpenCode answers."),
        ("session.get", {"sessionID": "ses_1"}, calling.WITH_ARGUMENTS),
        ("app.log", {"service": "a", "level": "info", "message": "b"}, calling.WITH_ARGUMENTS),
    ],
)
async def test_the_failure_of_a_call_without_arguments_does_not_mention_them(
    name: str, arguments: dict[str, object], hint: str
) -> None:
    async def perform(_request: OperationRequest) -> OperationResult:
        raise BackendFailed("It broke.")

    item = operation(name)
    call = OperationRequest(cast("BridgeContext", Listener()), item, split(item, arguments), {})
    with pytest.raises(BackendFailed) as caught:
        await perform_with_progress(call, OperationHandler(perform))
    assert caught.value.hint == hint
    assert ("arguments" in explain(caught.value)) == bool(arguments)


def test_an_unknown_operation_is_looked_for_by_words() -> None:
    with pytest.raises(NotFound, match=r"opencode_find_operations searches by words\.$"):
        find(TABLES[1], "nothing.like.it")


@pytest.mark.parametrize(
    ("api", "named", "hint"),
    [
        (2, "session.abort", "OpenCode 2 has session.interrupt instead."),
        (2, "session.todo", "OpenCode 2 has nothing in its place."),
        (
            1,
            "session.interrupt",
            "session.interrupt is an operation of OpenCode 2; OpenCode 1 has session.abort instead.",
        ),
        (1, "session.rename", "Did you mean session.update? The tool opencode_update_session does the same."),
        (2, "session.rename", "The tool opencode_update_session does the same."),
    ],
)
def test_an_id_of_the_other_generation_gets_what_to_use_in_its_place(api: Generation, named: str, hint: str) -> None:
    with pytest.raises(NotFound) as caught:
        find(TABLES[api], named)
    assert hint in caught.value.hint


@EVERY
def test_what_is_offered_is_what_opencode_takes_and_what_the_bridge_adds(item: Operation) -> None:
    schema = offered_schema(item)
    handler = handler_of(item)
    assert set(schema["required"]) <= set(schema["properties"])
    assert handler.own.keys() <= schema["properties"].keys()
    assert handler.hidden.isdisjoint(schema["properties"].keys() - handler.own.keys())


def test_what_streams_is_special() -> None:
    for generation, table in TABLES.items():
        assert {item.id for item in table.operations.values() if item.streams} <= HANDLERS[generation].keys()
        assert HANDLERS[generation].keys() <= table.operations.keys()


@EVERY
def test_null_is_an_argument_left_out_unless_opencode_takes_it_or_the_argument_is_required(item: Operation) -> None:
    schema = offered_schema(item)
    optional = schema["properties"].keys() - set(schema["required"])
    taken = {name for name in optional if '"null"' in json.dumps(schema["properties"][name])}
    nulls = dict.fromkeys(schema["properties"])
    assert without_nulls(item, nulls).keys() - {*schema["required"]} <= taken
    assert without_nulls(item, nulls).keys() >= {*schema["required"]}
    assert without_nulls(item, {"unknown": None}) == {}
