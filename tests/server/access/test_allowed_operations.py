"""What the operator's settings list, allow and refuse."""

from collections.abc import Collection
from typing import Any

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.errors import InvalidSetting, NotAllowed
from opencode_mcp.opencode.operation_table import Operation
from opencode_mcp.opencode.operations.catalog import operation, operations
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.operation_uses import COMPLETION_USES, RESOURCE_USES, TOOL_USES
from opencode_mcp.server.operations.operation_tool import tool_name, tool_of
from opencode_mcp.server.resources.completions import SOURCES
from opencode_mcp.server.resources.resources import RESOURCES
from opencode_mcp.server.tool import ToolSpec
from opencode_mcp.server.tools import TOOLS, listed_tools
from tests.harness.each import for_each

EVERY = for_each("item", operations().values())
HANDMADE = [spec.name for spec in TOOLS]


def allowed(**settings: Any) -> AllowedOperations:  # noqa: ANN401 - the fields of Settings
    return AllowedOperations(Settings(**settings))


def names(**settings: Any) -> list[str]:  # noqa: ANN401
    return [tool.name for tool in listed_tools(Settings(**settings))]


def of(effects: Collection[str], groups: Collection[str] = ()) -> list[str]:
    return [
        tool_name(item)
        for item in operations().values()
        if item.effect in effects and (not groups or item.group in groups)
    ]


def effects_of(tool: str) -> set[str]:
    return {operation(name).effect if name != "read" else "read" for name in TOOL_USES[tool]}


@EVERY
def test_reads_and_writes_need_no_leave_and_the_rest_does(item: Operation) -> None:
    assert allowed().allows(item) is (item.effect in {"read", "write"})


@EVERY
def test_what_is_allowed_by_id_or_by_effect_may_be_called(item: Operation) -> None:
    assert allowed(allow=(item.id,)).allows(item)
    assert allowed(allow=(item.effect,)).allows(item)


@EVERY
def test_a_denial_outweighs_leave(item: Operation) -> None:
    assert not allowed(allow=(item.id, item.effect), deny=(item.id,)).allows(item)
    assert not allowed(allow=(item.id, item.effect), deny=(item.effect,)).allows(item)


@EVERY
def test_read_only_outweighs_everything(item: Operation) -> None:
    only_reads = allowed(read_only=True, allow=(item.id, item.effect, "write", "execute", "admin"))
    assert only_reads.allows(item) is only_reads.shows(item) is (item.effect == "read")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"read_only": True}, "session.shell is not allowed here: the bridge is read-only."),
        ({"deny": ("execute",), "allow": ("execute",)}, "the operator denies execute"),
        ({}, "it would run something, which needs --allow execute or --allow session.shell"),
    ],
)
def test_a_refusal_names_the_setting(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        allowed(**settings).check(operation("session.shell"))


def test_an_effect_is_allowed_as_such() -> None:
    assert allowed(allow=("admin",)).allows_effect("admin")
    assert not allowed(allow=("config.update",)).allows_effect("admin")
    assert not allowed(allow=("admin",), deny=("admin",)).allows_effect("admin")
    assert not allowed(allow=("admin",), read_only=True).allows_effect("admin")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"toolsets": ("sesions",)}, "--toolsets names 'sesions'.*Did you mean sessions"),
        ({"allow": ("exec",)}, "--allow names 'exec'.*Did you mean"),
        ({"deny": ("session.delet",)}, "--deny names 'session.delet'.*Did you mean session.delete"),
        ({"deny": ("qqqq",)}, "--deny names 'qqqq'.*docs/operations.md"),
    ],
)
def test_a_name_that_there_is_not_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting, match=said):
        allowed(**settings)


def test_by_default_the_handmade_tools_are_listed() -> None:
    assert names() == HANDMADE


def test_groups_add_their_allowed_operations_in_the_order_of_their_ids() -> None:
    assert names(toolsets=("default", "vcs", "search")) == [*HANDMADE, *of({"read", "write"}, {"vcs", "search"})]


def test_groups_without_the_default_list_operations_alone() -> None:
    assert names(toolsets=("terminal",), allow=("execute",)) == of({"read", "write", "execute"}, {"terminal"})


def test_all_lists_everything_that_is_allowed() -> None:
    assert names(toolsets=("all",), allow=("execute", "admin")) == [
        *HANDMADE,
        *of({"read", "write", "execute", "admin"}),
    ]


def test_read_only_lists_what_reads() -> None:
    listed = listed_tools(Settings(toolsets=("all",), read_only=True, allow=("execute", "admin")))
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
    assert [tool.name for tool in listed][-len(of({"read"})) :] == of({"read"})
    assert "opencode_call_operation" not in {tool.name for tool in listed}


@pytest.mark.parametrize(
    ("denied", "gone"),
    [
        ("session.shell", {"opencode_shell"}),
        ("session.prompt_async", {"opencode_run"}),
        ("session.create", {"opencode_run", "opencode_command"}),
        ("permission.reply", {"opencode_reply_permission"}),
        ("file.read", {"opencode_read_file"}),
        ("session.messages", {"opencode_wait", "opencode_session", "opencode_diff"}),
        ("pty.create", set[str]()),
    ],
)
def test_a_denied_operation_takes_the_tools_that_use_it_along(denied: str, gone: set[str]) -> None:
    assert set(HANDMADE) - set(names(deny=(denied,))) == gone


@pytest.mark.parametrize("effect", ["write", "execute"])
def test_a_denied_effect_leaves_no_tool_that_has_it(effect: str) -> None:
    left = names(deny=(effect,))
    assert left
    for name in left:
        assert effect not in effects_of(name)
    assert ("opencode_run" in left) is False


def test_a_bridge_that_may_not_read_lists_nothing_that_reads_sessions_or_files() -> None:
    left = names(deny=("read",))
    assert set(left) & {"opencode_session", "opencode_read_file", "opencode_read_operation", "opencode_status"} == set()


def test_it_is_said_of_every_tool_resource_and_completion_what_it_uses() -> None:
    assert list(TOOL_USES) == HANDMADE
    assert list(RESOURCE_USES) == [spec.name for spec in RESOURCES]
    assert list(COMPLETION_USES) == list(SOURCES)
    tables = (TOOL_USES, RESOURCE_USES, COMPLETION_USES)
    named = {name for table in tables for uses in table.values() for name in uses}
    assert named <= operations().keys() | {"read"}


@for_each("spec", TOOLS)
def test_a_tool_that_only_reads_uses_only_reads_and_any_other_uses_more(spec: ToolSpec) -> None:
    effects = effects_of(spec.name)
    if spec.read_only:
        assert effects <= {"read"}
    elif spec.name != "opencode_call_operation":
        assert effects - {"read"}


@pytest.mark.parametrize(
    ("denied", "gone"),
    [
        ("file.read", {"file"}),
        ("session.message", {"message"}),
        ("session.messages", {"session", "transcript", "changes", "run"}),
        ("read", set(RESOURCE_USES)),
        ("execute", set[str]()),
    ],
)
def test_a_denied_operation_takes_the_resources_that_show_it_along(denied: str, gone: set[str]) -> None:
    served = allowed(deny=(denied,))
    assert {name for name, uses in RESOURCE_USES.items() if not served.serves(uses)} == gone


def test_a_tools_own_use_of_an_operation_is_checked_for_denials_alone() -> None:
    allowed().check_denied(operation("session.shell"))
    for settings in ({"deny": ("session.shell",)}, {"deny": ("execute",)}, {"read_only": True}):
        with pytest.raises(NotAllowed):
            allowed(allow=("execute",), **settings).check_denied(operation("session.shell"))


def test_every_operation_has_a_tool_name_of_its_own_that_hosts_take() -> None:
    found = [tool_name(item) for item in operations().values()]
    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= 49


@EVERY
def test_a_tool_of_an_operation_has_arguments_that_hosts_take(item: Operation) -> None:
    tool = tool_of(item)
    assert tool.parameters["type"] == "object"
    assert all(name.replace("_", "").isalnum() for name in tool.parameters["properties"])
    assert tool.description
    assert tool.annotations
    assert tool.annotations.read_only_hint is (item.effect == "read")
