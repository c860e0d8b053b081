"""Status of OpenCode and of a project: a table of facts, each read by a request of its own.

OpenCode opens the project first, which may take some seconds. Then the requests are sent at the same time, and end
within a few seconds. A fact that cannot be read affects no other: it is named with the reason.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import anyio
from anyio import to_thread

from opencode_mcp.errors import BackendTimeout, BridgeError
from opencode_mcp.launcher.provider_environment import counted
from opencode_mcp.opencode import versions
from opencode_mcp.opencode.configuration_changes import OF_BRIDGES, OF_OTHERS
from opencode_mcp.opencode.http_client.read_group import read_each
from opencode_mcp.opencode.vocabulary.wire import project_objects
from opencode_mcp.runs.requests import request_descriptions
from opencode_mcp.server.access.operations_of_tools import RESOURCE_USES
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.server.status_settings import flags_of
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace.configuration import definitions

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.providers import ProviderModel
    from opencode_mcp.opencode.vocabulary.wire.server_objects import Health
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

OPENING_SECONDS = 15.0
"""Seconds that OpenCode may take to open the project: with those for the facts, less than the time of a start."""
FACT_SECONDS = 4.0
"""Seconds that a fact may take: callers get their answer within five, if the project is open."""
DIRECTORIES = 200
"""Limit of the listed directories."""
WORKTREES = 50
"""Limit of the listed isolated worktrees."""
TITLES = 8
"""Running sessions whose titles are read."""
LONGEST_DESCRIPTION = 1000
"""Longest description of an agent or a command, in characters."""
SHORT_DESCRIPTION = 160
"""The same among all other facts, and the longest text of an open request, in characters."""
REASON_LIMIT = 1000
UNREAD = "unread"
BATCHES = "batches"
NEEDS_INPUT = "needs_input"
SHOWN_IF_ANY = frozenset({BATCHES, NEEDS_INPUT})
"""Facts that are left out if there is nothing to show."""
VERSION = "opencode"
GENERATION = "generation"
TESTED_WITH = "tested_with"

Read = Callable[["Bridge", str], Awaitable[object]]
ShownFacts: TypeAlias = Literal["summary", "agents", "models", "commands", "everything"]


async def describe_project(bridge: "Bridge", directory: str, show: ShownFacts = "everything") -> dict[str, Any]:
    """Read facts of OpenCode and of a project.

    Args:
        bridge: The parts.
        directory: The project's absolute path, already checked.
        show: Facts to read.

    Returns:
        A field for each fact that could be read. ``unread`` lists the others by reason, if there are any.

    Raises:
        BridgeError: OpenCode cannot be reached, or does not return its version.
    """
    # The start of OpenCode has its own timeouts.
    await bridge.connection.transport()
    # The reads report what is wrong.
    with anyio.move_on_after(OPENING_SECONDS), suppress(BridgeError):
        await bridge.client.open_project(directory)
    reads = {name: partial(FACTS[name], bridge, directory) for name in SHOWN[show]}
    found, failed = await read_each(reads, within=FACT_SECONDS)
    _add_facts_of_health(found, failed)
    facts = {name: found[name] for name in NAMES if name in found and (found[name] or name not in SHOWN_IF_ANY)}
    if show == "everything":
        _shorten_descriptions(facts)
    return {**facts, UNREAD: _by_reason(failed)} if failed else facts


def _shorten_descriptions(facts: dict[str, Any]) -> None:
    """Cut the descriptions of the agents and the commands, which have an own view each."""
    for agent in facts.get("agents", {}).values():
        agent["description"] = one_line(agent["description"], SHORT_DESCRIPTION)
    commands: dict[str, str] = facts.get("commands", {})
    for name, description in commands.items():
        commands[name] = one_line(description, SHORT_DESCRIPTION)


def _add_facts_of_health(found: dict[str, object], failed: dict[str, BridgeError]) -> None:
    """Replace the health, if it was to be read, by the facts that are made of it.

    Args:
        found: The facts that could be read, by name.
        failed: The errors of the others.

    Raises:
        BridgeError: OpenCode cannot be reached, or does not return its version.
    """
    unreached = failed.get(VERSION)
    # After a timeout, OpenCode may still be opening the project.
    if unreached and not isinstance(unreached, BackendTimeout):
        raise unreached
    if unreached:
        failed[GENERATION] = unreached
    elif VERSION in found:
        found |= _facts_of(cast("Health", found[VERSION]))


def _by_reason(failed: Mapping[str, BridgeError]) -> list[dict[str, Any]]:
    """Group the facts that could not be read by the reason."""
    reasons: dict[str, list[str]] = {}
    for name in NAMES:
        if name in failed:
            reasons.setdefault(one_line(str(failed[name]), REASON_LIMIT), []).append(name)
    return [{"fields": names, "reason": reason} for reason, names in reasons.items()]


async def _health(bridge: "Bridge", _directory: str) -> "Health":
    return await bridge.client.health()


def _facts_of(health: "Health") -> dict[str, object]:
    """Return the facts that are made of the health, so that OpenCode is asked for it once.

    The tested versions are a fact only if this one is newer.
    """
    is_untested = versions.is_untested(health.version, health.generation)
    return {
        VERSION: health.version,
        GENERATION: health.generation,
        **({TESTED_WITH: versions.describe_tested(health.version, health.generation)} if is_untested else {}),
    }


async def _directory(_bridge: "Bridge", directory: str) -> str:
    return directory


async def _allowed_directories(bridge: "Bridge", _directory: str) -> list[str]:
    return (await bridge.fence.every_root())[:DIRECTORIES]


async def _branch(bridge: "Bridge", directory: str) -> str:
    return (await bridge.client.vcs(directory)).branch or ""


async def _changed_files(bridge: "Bridge", directory: str) -> list[str]:
    return [f"{item.status} {item.file}" for item in await bridge.client.vcs_status(directory)]


async def _running_sessions(bridge: "Bridge", directory: str) -> dict[str, str]:
    """Return the titles of the running sessions by id, or else how their prompts begin; empty if neither is known."""
    running = await bridge.client.running_sessions(directory)
    readable = running[:TITLES] if bridge.allowed.serves_always(RESOURCE_USES["session"]) else []
    reads = {session_id: partial(bridge.client.session_get, session_id) for session_id in readable}
    found, _ = await read_each(reads, within=FACT_SECONDS / 2)
    sessions = cast("dict[str, Session]", found)
    return {name: _name_of(bridge, sessions[name]) if name in sessions else "" for name in running}


def _name_of(bridge: "Bridge", session: "Session") -> str:
    """Return the title of a session; if it has none yet, the first words of its prompt, if a bridge has sent that."""
    words = (note.words for note in bridge.runs.notes.of(session) if note.words)
    return title_of(session) or one_line(next(words, ""))


async def _needs_input(bridge: "Bridge", directory: str) -> dict[str, str]:
    """Return what is asked in the sessions of the project; OpenCode is asked once for all of them."""
    return {
        request.session_id: one_line(request_descriptions.describe(request, subagent=False).asks, SHORT_DESCRIPTION)
        for request in await bridge.requests.waiting_in(directory)
    }


async def _isolated_worktrees(bridge: "Bridge", directory: str) -> dict[str, str]:
    """Return the sessions of the project's isolated worktrees by branch, the latest first; empty: it has no session."""
    left = bridge.worktrees.left(directory)
    return {worktree.branch: worktree.session_id for worktree in reversed(left[-WORKTREES:])}


async def _verify_commands(bridge: "Bridge", _directory: str) -> dict[str, str]:
    """Return the commands that can verify the work of a run, by name."""
    return {} if bridge.settings.remote else {name: one.line for name, one in bridge.settings.verify.items()}


async def _batches(bridge: "Bridge", _directory: str) -> dict[str, str]:
    """Return the batches that are not over, or whose end was not reported, with the number of tasks that have ended."""
    found = await bridge.batches.open_batches() if bridge.has_queue else {}
    return {batch_id: f"{ended} of {tasks} tasks have ended" for batch_id, (ended, tasks) in found.items()}


async def _agents(bridge: "Bridge", directory: str) -> dict[str, dict[str, str]]:
    agents = await bridge.client.agents(directory)
    return {agent.name: {"mode": agent.mode or "primary", "description": _line(agent.description)} for agent in agents}


async def _models(bridge: "Bridge", directory: str) -> dict[str, dict[str, float | list[str]]]:
    """Return the usable models with their variants, price in dollars per million tokens, and context in tokens."""
    providers = await bridge.client.used_providers(directory)
    return {name: _model_facts(model) for name, model in providers.usable_models.items()}


def _model_facts(model: "ProviderModel") -> dict[str, float | list[str]]:
    price = {"input": model.price[0], "output": model.price[1]} if model.price else {}
    context = {"context": model.context} if model.context else {}
    variants = {"variants": [*model.variants]} if model.variants else {}
    return {**price, **context, **variants}


async def _default_model(bridge: "Bridge", directory: str) -> str:
    return bridge.settings.model or await bridge.client.default_model(directory)


async def _commands(bridge: "Bridge", directory: str) -> dict[str, str]:
    return {command.name: _line(command.description) for command in await bridge.client.commands(directory)}


def _line(description: str) -> str:
    return one_line(description, LONGEST_DESCRIPTION)


async def _environment(bridge: "Bridge", _directory: str) -> list[str]:
    """Return the environment variables that must be the same for bridges that share one OpenCode."""
    return [] if bridge.settings.attached else list(counted(bridge.settings.environment))


async def _mcp_servers(bridge: "Bridge", directory: str) -> dict[str, str]:
    """Return the status of each MCP server, and those in files of the project or the user that are not loaded yet."""
    loaded = {name: item.status for name, item in (await bridge.client.mcp_status(directory)).items()}
    if bridge.settings.remote:
        return loaded
    features = await bridge.client.features()
    folders = definitions.folders_of(
        project_objects.Paths(directory=directory, worktree=directory), bridge.settings.environment
    )
    found = await to_thread.run_sync(definitions.mcp_servers_in, folders, features.mcp_settings)
    waiting = f"not loaded yet. {features.rereading.changes_loaded}"
    return loaded | {name: waiting for name in found if name not in loaded}


async def _restart(bridge: "Bridge", _directory: str) -> str:
    """Return how a person restarts OpenCode."""
    return OF_OTHERS if bridge.settings.attached else OF_BRIDGES


async def _settings(bridge: "Bridge", _directory: str) -> list[str]:
    return flags_of(bridge.settings)


FACTS: Mapping[str, Read] = {
    VERSION: _health,
    "directory": _directory,
    "allowed_directories": _allowed_directories,
    "branch": _branch,
    "changed_files": _changed_files,
    "running_sessions": _running_sessions,
    NEEDS_INPUT: _needs_input,
    "isolated_worktrees": _isolated_worktrees,
    BATCHES: _batches,
    "verify_commands": _verify_commands,
    "default_model": _default_model,
    "models": _models,
    "agents": _agents,
    "commands": _commands,
    "environment": _environment,
    "mcp_servers": _mcp_servers,
    "to_restart_opencode": _restart,
    "settings": _settings,
}
"""Facts that are read, in the order in which they are shown."""
NAMES = (VERSION, GENERATION, TESTED_WITH, *(name for name in FACTS if name != VERSION))
"""Names of all facts, in the order in which they are shown."""
SHOWN: Mapping[ShownFacts, tuple[str, ...]] = {
    "summary": (
        *(VERSION, "directory", "allowed_directories", "branch", "running_sessions", NEEDS_INPUT),
        *("isolated_worktrees", BATCHES, "verify_commands"),
        *("default_model", "models", "agents", "to_restart_opencode"),
    ),
    "agents": ("directory", "agents"),
    "models": ("directory", "default_model", "models"),
    "commands": ("directory", "commands"),
    "everything": tuple(FACTS),
}
"""Facts that are read for each choice."""
