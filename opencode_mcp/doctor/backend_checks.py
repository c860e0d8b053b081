"""Checks of OpenCode's server: connection, models, project, and a round trip.

They use the layers as the bridge does, so they prove what a prompt needs. No model is called.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.doctor.finding import Finding, fail, failure_of, found, warn
from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError, NotFound, Unauthorized
from opencode_mcp.launcher.background_service import running_service
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.launcher.health import check
from opencode_mcp.launcher.launcher import ATTACH_TIMEOUTS_SECONDS, Launcher
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.versions import describe_tested, is_untested
from opencode_mcp.opencode.vocabulary.backend_events import SessionDeleted
from opencode_mcp.runs.prompting.prompt import find_missing_model
from opencode_mcp.server.access.fence import Fence
from opencode_mcp.text.similar_names import suggest
from opencode_mcp.workspace.configuration.unreadable_settings import unreadable_settings

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

SERVER = "server"
SERVICE_REMEDY = (
    "Do not prompt one session through both: each would answer. With --attach service, the bridge uses that service."
)
BROKEN_REMEDY = "Correct it: OpenCode 1 refuses all requests in the directory, OpenCode 2 does not report the error."
TITLE = "opencode-mcp doctor"
ROUND_TRIP_SECONDS = 30.0
ATTEMPT_SECONDS = 5.0
"""Time that OpenCode has to report a session before another one is created."""


class Backend:
    """State that the checks share.

    Args:
        settings: Settings of the operator.
        launcher: Finds the server.
        connection: Connection to it.
    """

    def __init__(self, settings: "Settings", launcher: Launcher, connection: Connection) -> None:
        self.settings = settings
        self.launcher = launcher
        self.connection = connection
        self.client = OpenCodeClient(connection)
        self.fence = Fence(settings, self.client)


def run_checks(settings: "Settings", note: Callable[[Finding], None]) -> None:
    """Make the checks in an event loop of their own; see ``check_backend``."""
    anyio.run(check_backend, settings, note)


async def check_backend(settings: "Settings", note: Callable[[Finding], None]) -> None:
    """Make the checks one after the other; if the server cannot be reached, the rest is left out.

    Args:
        settings: Settings of the operator.
        note: Receives each finding at once.
    """
    launcher = Launcher(settings)
    async with aclosing(Connection(launcher)) as connection:
        backend = Backend(settings, launcher, connection)
        for name, check_one in CHECKS.items():
            try:
                finding = await check_one(backend)
            except BridgeError as error:
                finding = failure_of(error)
            note(replace(finding, check=name))
            if name == SERVER and finding.failed:
                return


async def _directories(backend: Backend) -> Finding:
    if backend.settings.remote:
        named = ", ".join(backend.settings.directories)
        return found(f"{named or 'the one that OpenCode was started in'}, on OpenCode's machine")
    roots = await backend.fence.every_root()
    for root in roots:
        try:
            await backend.fence.directory(root)
        except NotFound as error:
            error.hint = f"{error.hint} {_suggest_siblings(root)}".rstrip()
            raise
    return found(", ".join(roots))


async def _configuration(backend: Backend) -> Finding:
    if backend.settings.remote:
        return found("read by OpenCode, on its machine")
    roots = await backend.fence.every_root()
    broken = [str(path) for root in roots for path in unreadable_settings(Path(root))]
    if broken:
        return warn(f"no valid JSON: {', '.join(broken)}", BROKEN_REMEDY)
    return found("the settings files of the directories are valid JSON, or there are none")


def _suggest_siblings(directory: str) -> str:
    """Suggest directories beside one that does not exist. Only the operator sees this, no caller."""
    try:
        names = [entry.name for entry in Path(directory).parent.iterdir()]
    except OSError:
        return ""
    return suggest(Path(directory).name, names)


async def _server(backend: Backend) -> Finding:
    began = anyio.current_time()
    endpoint = (await backend.connection.transport()).endpoint
    if backend.settings.attached:
        return found(f"attached to {endpoint.url}")
    text = f"{endpoint.url}, which already runs for other bridges"
    if backend.launcher.started:
        text = f"started at {endpoint.url} in {anyio.current_time() - began:.1f} s, to be stopped again"
    service = running_service(backend.settings) if endpoint.generation != 1 else None
    if service:
        return warn(f"{text}, beside your background service (process {service})", SERVICE_REMEDY)
    return found(text)


async def _version(backend: Backend) -> Finding:
    health = await backend.client.health()
    version, generation = health.version, health.generation
    text = f"OpenCode {generation}, version {version} (tested with {describe_tested(version, generation)})"
    return warn(text, "Look for a newer bridge.") if is_untested(version, generation) else found(text)


async def _password(backend: Backend) -> Finding:
    endpoint = (await backend.connection.transport()).endpoint
    try:
        await check(replace(endpoint, password=""), timeouts=ATTACH_TIMEOUTS_SECONDS)
    except Unauthorized:
        if backend.settings.remote and endpoint.url.startswith("http:"):
            return warn("accepted, but sent unencrypted to another machine", "Use https, or a tunnel.")
        return found("asked for and accepted")
    return warn(
        "the server asks for none: any client that can connect can run commands on its machine",
        "Start it with OPENCODE_SERVER_PASSWORD set, and give the bridge the same password.",
    )


async def _providers(backend: Backend) -> Finding:
    connected = (await backend.client.used_providers(await backend.fence.directory())).connected
    if not connected:
        return fail(
            "no provider has credentials", "Run `opencode auth login`, or set a provider's key in the environment."
        )
    return found(f"usable: {', '.join(connected)}")


async def _model(backend: Backend) -> Finding:
    directory = await backend.fence.directory()
    own = backend.settings.model
    name = own or await backend.client.default_model(directory)
    if not name:
        return found("none is set: OpenCode chooses")
    missing = await find_missing_model(backend.client, directory, name)
    if missing:
        raise missing.error
    return found(f"{name}, set {'for the bridge' if own else 'in OpenCode'}")


async def _agent(backend: Backend) -> Finding:
    names = [agent.name for agent in await backend.client.agents(await backend.fence.directory())]
    chosen = backend.settings.agent
    if chosen and chosen not in names:
        return fail(f"OpenCode has no agent {chosen!r}", f"The agents are {', '.join(names)}.")
    return found(f"{chosen or 'none is set: OpenCode chooses'} (there are {', '.join(names)})")


async def _round_trip(backend: Backend) -> Finding:
    directory = await backend.fence.directory()
    began = anyio.current_time()
    try:
        with anyio.fail_after(ROUND_TRIP_SECONDS):
            await _create_and_await_event(backend.client, directory)
    except TimeoutError as error:
        raise BackendTimeout("OpenCode's event stream did not report a new session.") from error
    taken = 1000 * (anyio.current_time() - began)
    return found(f"a session was created, observed and removed in {taken:.0f} ms; no model was called")


async def _create_and_await_event(client: OpenCodeClient, directory: str) -> None:
    made: set[str] = set()
    next_try = 0.0
    async with client.events(silence=ROUND_TRIP_SECONDS) as lines:
        async for events in lines:
            if any(isinstance(event, SessionDeleted) and event.session_id in made for event in events):
                return
            # OpenCode 1.18 sometimes loses the event of a directory's first session. Its heartbeats are lines, too, so
            # there is always a line for another attempt.
            if anyio.current_time() >= next_try:
                made.add(await _make_and_remove_session(client, directory))
                next_try = anyio.current_time() + ATTEMPT_SECONDS
    raise BackendUnavailable("OpenCode ended the event stream.", hint="Run the doctor again.")


async def _make_and_remove_session(client: OpenCodeClient, directory: str) -> str:
    session = await client.session_create(directory, title=TITLE)
    with anyio.CancelScope(shield=True):
        await client.session_delete(session.id)
    return session.id


CHECKS: Mapping[str, Callable[[Backend], Awaitable[Finding]]] = {
    "directories": _directories,
    "configuration": _configuration,
    SERVER: _server,
    "version": _version,
    "password": _password,
    "providers": _providers,
    "model": _model,
    "agent": _agent,
    "round trip": _round_trip,
}
