"""The operator's settings decide what is listed, allowed and refused."""

import json
import re
from collections.abc import Collection
from typing import Any

import pytest

from opencode_mcp.errors import InvalidSetting, NotAllowed
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.runs.answers.answer_rules import ANSWERING
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.operations_of_tools import (
    ANSWERS,
    COMPLETION_USES,
    MINIMAL_TOOLS,
    ONLY_IF_ALLOWED,
    REDO,
    RELOAD,
    RESOURCE_USES,
    SHELL,
    STOP,
    TOOL_OF,
    TOOL_USES,
    UNDO,
)
from opencode_mcp.server.access.refusals import BY_HAND, INSTEAD, JOBS
from opencode_mcp.server.access.setting_names import GENERATIONS
from opencode_mcp.server.definition.tool import ToolSpec
from opencode_mcp.server.operations.operation_tool import tool_name, tool_of
from opencode_mcp.server.resources.completions import SOURCES
from opencode_mcp.server.resources.resources import RESOURCES
from opencode_mcp.server.tools import TOOLS, listed_tools
from opencode_mcp.settings import Settings
from tests.harness.each import for_each
from tests.harness.operations import operation, operations

ROWS = [item for table in TABLES.values() for item in table.operations.values()]
EVERY = for_each("item", ROWS)
HANDMADE = [spec.name for spec in TOOLS]
DEFAULT = [name for name in HANDMADE if name not in ONLY_IF_ALLOWED]


def allowed(**settings: Any) -> AllowedOperations:  # noqa: ANN401 - the fields of Settings
    return AllowedOperations(Settings(**settings))


def names(**settings: Any) -> list[str]:  # noqa: ANN401
    return [tool.name for tool in listed_tools(Settings(**settings))]


def of(effects: Collection[str], groups: Collection[str] = ()) -> list[str]:
    found = {item.id for item in ROWS if item.effect in effects and (not groups or item.group in groups)}
    return [tool_name(name) for name in sorted(found)]


def effects_of(tool: str, generation: Generation) -> set[str]:
    uses = TOOL_USES[tool][generation]
    return {TABLES[generation].operation(name).effect if name != "read" else "read" for name in uses}


@EVERY
def test_reads_and_writes_need_no_permission_and_other_operations_do(item: Operation) -> None:
    assert allowed().allows(item) is (item.effect in {"read", "write"})


@EVERY
def test_what_is_allowed_by_id_or_by_effect_may_be_called(item: Operation) -> None:
    assert allowed(allow=(item.id,)).allows(item)
    assert allowed(allow=(item.effect,)).allows(item)


@EVERY
def test_a_denial_takes_precedence_over_a_permission(item: Operation) -> None:
    assert not allowed(allow=(item.id, item.effect), deny=(item.id,)).allows(item)
    assert not allowed(allow=(item.id, item.effect), deny=(item.effect,)).allows(item)


@EVERY
def test_read_only_takes_precedence_over_everything(item: Operation) -> None:
    only_reads = allowed(read_only=True, allow=(item.id, item.effect, "write", "execute", "admin"))
    assert only_reads.allows(item) is only_reads.shows(item) is (item.effect == "read")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"read_only": True}, "session.shell is not allowed here: this MCP server is read-only."),
        ({"deny": ("execute",), "allow": ("execute",)}, "whoever configured this MCP server denies execute"),
        (
            {},
            "its effect is execute. .* It runs something for which OpenCode asks no permission",
        ),
    ],
)
def test_a_refusal_names_the_setting(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        allowed(**settings).check(operation("session.shell"))


@for_each(
    ("settings", "name", "flags"),
    [
        ({"read_only": True}, "session.shell", "--read-only"),
        ({"deny": ("execute",), "allow": ("execute",)}, "session.shell", "--deny execute"),
        ({}, "session.shell", "--allow session.shell"),
        ({}, "pty.connect", "--allow pty.connect,pty.create,pty.update,pty.remove"),
        (
            {"allow": ("pty.create", "mcp.add")},
            "pty.remove",
            "--allow pty.create,mcp.add,pty.remove,pty.connect,pty.update",
        ),
        ({}, "mcp.add", "--allow mcp.add,mcp.connect,mcp.disconnect"),
    ],
)
def test_a_refusal_has_the_whole_flag_that_the_job_needs(settings: dict[str, Any], name: str, flags: str) -> None:
    """A flag replaces what the environment allows, so it repeats that."""
    with pytest.raises(NotAllowed) as refused:
        allowed(**settings).check(operation(name))
    assert refused.value.change
    assert refused.value.change.flags == flags
    assert refused.value.change.removes is not flags.startswith("--allow")


@pytest.mark.parametrize("generation", [1, 2])
def test_the_operations_of_a_job_have_one_effect_and_are_in_one_job(generation: Generation) -> None:
    """A caller that may not create a thing may not change, end or remove those of others."""
    known = TABLES[generation].operations
    jobs = JOBS[generation]
    assert len({name for job in jobs for name in job}) == sum(map(len, jobs))
    for job in jobs:
        effects = {known[name].effect for name in job}
        assert len(effects) == 1, job
        assert effects <= {"execute", "admin"}, job


def test_the_tools_that_a_refusal_names_in_place_of_an_operation_are_listed_without_any_setting() -> None:
    ids = {name for table in TABLES.values() for name in table.operations}
    assert INSTEAD.keys() <= ids
    assert set(INSTEAD.values()) <= set(DEFAULT)


@pytest.mark.parametrize("generation", [1, 2])
def test_what_a_person_can_do_without_a_setting_is_named_for_operations_that_need_one(generation: Generation) -> None:
    known = TABLES[generation].operations
    for name, way in BY_HAND[generation].items():
        refusal = allowed().refusal(known[name])
        assert refusal
        assert refusal.by_person == way
        assert refusal.change
    server = allowed().refusal(known["mcp.add"])
    assert server
    configured = re.search(r"\{.+\}", server.by_person)
    assert configured
    assert "mcp" in json.loads(configured[0])


def test_a_tool_does_the_work_of_operations_that_it_uses() -> None:
    for name, tool in TOOL_OF.items():
        assert any(name in TOOL_USES[tool][generation] for generation in GENERATIONS), name


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


def test_by_default_the_handmade_tools_are_listed_except_those_that_run_what_the_caller_likes() -> None:
    assert names() == DEFAULT
    assert set(HANDMADE) - set(DEFAULT) == {"opencode_shell"}
    for permitting in ("session.shell", "execute"):
        assert names(allow=(permitting,)) == HANDMADE
    assert names(allow=("pty.create", "admin")) == DEFAULT
    assert names(allow=("execute",), deny=("session.shell",)) == DEFAULT


def test_the_minimal_toolset_lists_few_tools_and_groups_add_to_it() -> None:
    listed = names(toolsets=("minimal",), allow=("execute",))
    assert set(listed) == MINIMAL_TOOLS
    assert listed == [name for name in HANDMADE if name in MINIMAL_TOOLS]
    assert names(toolsets=("minimal", "search")) == [*listed, *of({"read"}, {"search"})]
    assert names(toolsets=("minimal", "default")) == DEFAULT


def test_no_text_suggests_a_tool_that_is_not_listed() -> None:
    assert allowed(toolsets=("minimal",)).denied_tools == set(HANDMADE) - MINIMAL_TOOLS
    assert allowed().denied_tools == {"opencode_shell"}


def test_groups_add_their_allowed_operations_in_the_order_of_their_ids() -> None:
    assert names(toolsets=("default", "vcs", "search")) == [*DEFAULT, *of({"read", "write"}, {"vcs", "search"})]


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


@for_each(
    ("denied", "gone"),
    [
        ("session.shell", set[str]()),
        ("session.prompt_async", {"opencode_run", "opencode_run_many"}),
        ("session.create", {"opencode_run", "opencode_run_many", "opencode_command"}),
        ("permission.reply", {"opencode_reply_permission"}),
        ("file.read", {"opencode_read_file"}),
        ("session.messages", {"opencode_wait", "opencode_session", "opencode_cost", "opencode_diff"}),
        ("pty.create", set[str]()),
    ],
)
def test_a_denied_operation_takes_the_tools_that_use_it_along(denied: str, gone: set[str]) -> None:
    assert set(DEFAULT) - set(names(deny=(denied,))) == gone


@pytest.mark.parametrize("effect", ["write", "execute"])
def test_a_denied_effect_leaves_no_tool_that_has_it(effect: str) -> None:
    left = names(deny=(effect,))
    assert left
    for name in left:
        assert effect not in effects_of(name, 1) | effects_of(name, 2)
    assert ("opencode_run" in left) is False


def test_a_bridge_that_may_not_read_lists_nothing_that_reads_sessions_or_files() -> None:
    left = names(deny=("read",))
    assert set(left) & {"opencode_session", "opencode_read_file", "opencode_read_operation", "opencode_status"} == set()


def test_it_is_said_of_every_tool_resource_and_completion_what_it_uses() -> None:
    assert list(TOOL_USES) == HANDMADE
    assert list(RESOURCE_USES) == [spec.name for spec in RESOURCES]
    assert list(COMPLETION_USES) == list(SOURCES)
    tables = (TOOL_USES, RESOURCE_USES, COMPLETION_USES)
    for generation, table in TABLES.items():
        named = {name for uses_by_name in tables for uses in uses_by_name.values() for name in uses[generation]}
        assert named <= table.operations.keys() | {"read"}
        for purpose in (STOP, SHELL, UNDO, REDO, RELOAD, *ANSWERS.values()):
            assert purpose[generation] in table.operations
    assert ANSWERS.keys() == ANSWERING


WITHOUT_OPERATIONS = {"opencode_call_operation", "opencode_integrate"}
"""Tools that change something by an operation of the caller's choice, or by git."""


@for_each("spec", TOOLS)
def test_a_tool_that_only_reads_uses_only_reads_and_any_other_uses_more(spec: ToolSpec) -> None:
    effects = effects_of(spec.name, 1)
    assert effects_of(spec.name, 2) == effects, "one setting has the same meaning for both generations"
    if spec.read_only:
        assert effects <= {"read"}
    elif spec.name not in WITHOUT_OPERATIONS:
        assert effects - {"read"}


def test_a_tool_that_writes_by_itself_is_not_listed_where_writes_are_denied() -> None:
    for settings, is_listed in (({}, True), ({"deny": ("execute",)}, True), ({"deny": ("write",)}, False)):
        listed = {spec.name for spec in allowed(**settings).tools(TOOLS)}
        assert ("opencode_integrate" in listed) is is_listed


@pytest.mark.parametrize(
    ("denied", "gone"),
    [
        ("file.read", {"file"}),
        ("session.message", {"message"}),
        ("session.messages", {"session", "transcript", "changes", "run"}),
        ("read", set(RESOURCE_USES) - {"opencode"}),
        ("execute", set[str]()),
    ],
)
def test_a_denied_operation_takes_the_resources_that_show_it_along(denied: str, gone: set[str]) -> None:
    served = allowed(deny=(denied,))
    assert {name for name, uses in RESOURCE_USES.items() if not served.serves(uses)} == gone


def test_a_tools_own_use_of_an_operation_is_checked_for_denials_alone() -> None:
    allowed().check_denied(operation("session.abort"))
    for settings in ({"deny": ("session.abort",)}, {"deny": ("write",)}, {"read_only": True}):
        with pytest.raises(NotAllowed):
            allowed(allow=("write",), **settings).check_denied(operation("session.abort"))


def test_code_of_the_caller_needs_to_be_allowed_and_not_denied() -> None:
    for permitting in ("session.shell", "execute"):
        allowed(allow=(permitting,)).check_caller_code(SHELL)
    refusing: tuple[dict[str, Any], ...] = (
        {},
        {"allow": ("admin",)},
        {"allow": ("execute",), "deny": ("session.shell",)},
        {"allow": ("execute",), "read_only": True},
    )
    for settings in refusing:
        with pytest.raises(NotAllowed):
            allowed(**settings).check_caller_code(SHELL)


def test_every_operation_has_a_tool_name_of_its_own_that_hosts_take() -> None:
    for table in TABLES.values():
        found = [tool_name(name) for name in table.operations]
        assert len(set(found)) == len(found)
    found = [tool_name(item.id) for item in ROWS]
    assert max(map(len, found)) <= 49


@EVERY
def test_a_tool_of_an_operation_has_arguments_that_hosts_take(item: Operation) -> None:
    tool = tool_of([item])
    assert tool.parameters["type"] == "object"
    assert all(name.replace("_", "").isalnum() for name in tool.parameters["properties"])
    assert tool.description
    assert tool.annotations
    assert tool.annotations.read_only_hint is (item.effect == "read")


def test_a_tool_of_an_id_that_both_generations_have_takes_the_arguments_of_both() -> None:
    rows = [table.operation("session.fork") for table in TABLES.values()]
    tool = tool_of(rows)
    assert {"messageID", "before", "sessionID"} <= tool.parameters["properties"].keys()
    assert "sessionID" in tool.parameters["required"]
    assert tool.description
    assert "OpenCode 1: " in tool.description
    assert "OpenCode 2: " in tool.description


def test_a_tool_reads_only_if_it_does_so_in_both_generations() -> None:
    for name in operations().keys() & TABLES[2].operations.keys():
        rows = [table.operation(name) for table in TABLES.values()]
        tool = tool_of(rows)
        assert tool.annotations
        assert tool.annotations.read_only_hint is all(row.effect == "read" for row in rows)
        assert tool.annotations.destructive_hint is not False or not any(row.destructive for row in rows)


def test_a_tool_of_one_generation_says_so() -> None:
    descriptions = {item.id: tool.description for item in (operation("tool.ids"),) if (tool := tool_of([item]))}
    assert str(descriptions["tool.ids"]).startswith("OpenCode 1 only: ")
    assert str(tool_of([TABLES[2].operation("file.write")]).description).startswith("OpenCode 2 only: ")


@for_each(
    ("denied", "also"),
    [
        ("session.abort", {"session.interrupt"}),
        ("session.revert", {"session.revert.stage"}),
        ("session.messages", {"message.list"}),
        ("v2.session.prompt", {"session.prompt"}),
        ("auth.set", {"integration.connect.key", "credential.create"}),
        ("session.todo", set[str]()),
    ],
)
def test_a_denied_id_of_opencode_1_denies_what_replaces_it_in_opencode_2(denied: str, also: set[str]) -> None:
    some = allowed(allow=("execute", "admin"), deny=(denied,))
    refused = {item.id for item in TABLES[2].operations.values() if not some.allows(item)}
    assert refused == also
    for name in also:
        with pytest.raises(NotAllowed, match=f"this MCP server denies {denied}"):
            some.check(TABLES[2].operation(name))


def test_an_id_of_opencode_2_is_allowed_and_denied_there_alone() -> None:
    stop = TABLES[2].operation("session.interrupt")
    some = allowed(deny=("session.interrupt",))
    assert not some.allows(stop)
    assert some.allows(operation("session.abort"))
    assert allowed(allow=("shell.create",)).allows(TABLES[2].operation("shell.create"))


def test_a_tool_whose_operation_only_opencode_2_denies_is_listed_and_refused_there() -> None:
    some = allowed(deny=("session.interrupt",))
    uses = TOOL_USES["opencode_abort"]
    assert some.serves(uses)
    assert not some.serves_always(uses)
    some.check_served(uses, 1)
    with pytest.raises(NotAllowed, match=r"not allowed with OpenCode 2: .* denies session\.interrupt"):
        some.check_served(uses, 2)


def test_what_is_not_listed_is_refused_by_both_generations() -> None:
    for name in TABLES[1].operations:
        some = allowed(deny=(name,))
        for tool, uses in TOOL_USES.items():
            if some.serves_always(uses) or name in uses[2] or name not in uses[1]:
                continue
            assert tool in some.denied_tools
