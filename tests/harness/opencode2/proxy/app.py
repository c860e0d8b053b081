"""The proxy as an application."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.harness.opencode2.proxy import contract
from tests.harness.opencode2.proxy.access import Access
from tests.harness.opencode2.proxy.asks import Asks
from tests.harness.opencode2.proxy.diffs import Diffs
from tests.harness.opencode2.proxy.ends import Ends
from tests.harness.opencode2.proxy.events import Events
from tests.harness.opencode2.proxy.forwarding import Forwarding, Handler, absent
from tests.harness.opencode2.proxy.messages import Messages
from tests.harness.opencode2.proxy.pages import BadPage
from tests.harness.opencode2.proxy.prompts import Prompts
from tests.harness.opencode2.proxy.reads import Reads
from tests.harness.opencode2.proxy.replies import bad_page, refused, unknown_route
from tests.harness.opencode2.proxy.sessions import Sessions
from tests.harness.opencode2.proxy.upstream import Refused, Upstream
from tests.harness.opencode2.proxy.worktrees import Worktrees
from tests.harness.opencode2.switches import Switches

EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")


def make_app(upstream: Upstream, *, url: str, password: str, data: Path, switches: Switches) -> ASGIApp:
    """Make the application.

    Args:
        upstream: The engine.
        url: Where the proxy is reached.
        password: Guards the proxy.
        data: The engine's data folder, ``XDG_DATA_HOME``.
        switches: What the proxy does where that is a choice.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        yield
        await upstream.aclose()

    async def unknown(_request: Request) -> Response:
        return unknown_route(switches)

    routes = [
        Route(path, handler, methods=[method])
        for (method, path), handler in handlers(upstream, url=url, data=data, switches=switches).items()
    ]
    routes.append(Route("/{path:path}", unknown, methods=EVERY_METHOD))
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Refused: refused, BadPage: bad_page})
    return Access(app, password, switches)


def handlers(upstream: Upstream, *, url: str, data: Path, switches: Switches) -> Mapping[tuple[str, str], Handler]:
    """Find the handler of each operation of the contract, in the order in which their paths are tried."""
    forwarding = Forwarding(upstream)
    forwarded = {name: forwarding.handler(" ".join(name), name[1]) for name in contract.operations(contract.FORWARDED)}
    renamed = {_named(name): forwarding.handler(name, path) for name, path in contract.RENAMED.items()}
    missing = {name: absent(" ".join(name)) for name in contract.operations(contract.ABSENT)}
    return {**forwarded, **renamed, **missing, **own_handlers(upstream, url=url, data=data, switches=switches)}


def own_handlers(upstream: Upstream, *, url: str, data: Path, switches: Switches) -> Mapping[tuple[str, str], Handler]:
    """Find the handlers of the operations that the preview has in another form."""
    ends = Ends(upstream, switches)
    messages = Messages(upstream, ends)
    titles: dict[str, str] = {}
    sessions = Sessions(upstream, ends, titles, data / "kept.json")
    prompts = Prompts(upstream, switches)
    events, asks, reads = Events(upstream, switches, titles), Asks(upstream), Reads(upstream, url)
    worktrees = Worktrees(data)
    session, trial = "/api/session/{sessionID}", "/api/experimental/session/{sessionID}"
    return {
        ("GET", "/api/info"): reads.info,
        ("GET", "/api/event"): events.live,
        ("GET", "/api/config"): reads.config,
        ("GET", "/api/vcs"): reads.vcs,
        ("GET", "/api/fs/list"): reads.files,
        ("GET", "/api/fs/read/{path:path}"): reads.file,
        ("GET", "/api/session"): sessions.list,
        ("POST", "/api/session"): sessions.create,
        ("GET", session): sessions.get,
        ("PATCH", session): sessions.update,
        ("DELETE", session): sessions.remove,
        ("POST", f"{session}/fork"): sessions.fork,
        ("DELETE", f"{session}/revert"): sessions.clear_revert,
        ("POST", f"{session}/view"): sessions.view,
        ("POST", f"{session}/prompt"): prompts.admit,
        ("POST", f"{session}/synthetic"): prompts.admit,
        ("POST", f"{session}/compact"): prompts.admit,
        ("GET", f"{session}/inbox"): prompts.inbox,
        ("DELETE", f"{session}/inbox/{{inboxID}}"): prompts.change_inbox,
        ("PATCH", f"{session}/inbox/{{inboxID}}"): prompts.change_inbox,
        ("POST", f"{session}/interrupt"): prompts.interrupt,
        ("POST", f"{session}/command"): prompts.command,
        ("POST", f"{trial}/skill"): prompts.skill,
        ("GET", f"{session}/message"): messages.list,
        ("GET", f"{session}/message/{{messageID}}"): messages.get,
        ("GET", f"{session}/diff"): Diffs(upstream, messages, data).session,
        ("GET", f"{trial}/log"): events.log,
        ("GET", "/api/permission/saved"): asks.saved,
        ("POST", f"{session}/permission/{{requestID}}/reply"): asks.answer_permission,
        ("GET", f"{session}/form/{{formID}}"): asks.form,
        ("DELETE", f"{session}/form/{{formID}}"): asks.cancel_form,
        ("GET", "/api/worktree"): worktrees.list,
        ("POST", "/api/worktree"): worktrees.create,
        ("DELETE", "/api/worktree"): worktrees.remove,
    }


def _named(operation: str) -> tuple[str, str]:
    method, path = operation.split(" ", 1)
    return method, path
