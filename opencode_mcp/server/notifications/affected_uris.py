"""Map events of OpenCode to the URIs, without queries, of the resources that they change. Pure."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.server import uris

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo


def names_of(uri: str) -> tuple[str, str]:
    """Return the names under which a change of a URI is reported: its own, and its parent's with a slash at the end."""
    address = uris.without_query(uri)
    return address, address[: address.rfind("/") + 1]


def changed_by(event: backend_events.Event, lineage: Sequence[str] = ()) -> Iterator[str]:
    """Yield the URIs of the resources that an event changes; one that ends in a slash means all directly below it.

    Args:
        event: The event.
        lineage: Its session, that session's parent, and so on up.
    """
    session_id = event.session_id
    match event:
        case backend_events.MessageChanged(message=message):
            yield from _message(session_id, message.id)
            yield from _run(session_id, message)
        case backend_events.PartChanged(part=part):
            yield from _message(session_id, str(part.get("messageID")))
            yield from _patch(session_id, part)
        case backend_events.PartGrew(message_id=message_id):
            yield from _message(session_id, message_id)
        case backend_events.TodosChanged():
            yield uris.todo(session_id)
            yield uris.session(session_id)
        case backend_events.ProjectChanged():
            yield uris.PROJECT
        case _ if session_id:
            yield from _session(event, lineage)
        case _:
            pass


def _message(session_id: str, message_id: str) -> Iterator[str]:
    yield uris.transcript(session_id)
    yield uris.message(session_id, message_id)


def _run(session_id: str, message: "MessageInfo") -> Iterator[str]:
    """Yield the URIs that show the run of a message: the run, and its changes if the message is its prompt."""
    yield uris.run(session_id, message.parent_id or message.id)
    if message.role == "user":
        # OpenCode puts what a prompt changed into the prompt's own message.
        yield uris.diff(session_id)


def _patch(session_id: str, part: backend_events.JsonMap) -> Iterator[str]:
    """Yield the URIs of files that a step changed, relative to each of their folders, since any may be the project."""
    if part.get("type") != "patch":
        return
    yield uris.diff(session_id)
    files: object = part.get("files")
    for path in cast("list[object]", files) if isinstance(files, list) else ():
        steps = str(path).replace("\\", "/").split("/")
        yield from (uris.file("/".join(steps[number:])) for number in range(len(steps)))


def _session(event: backend_events.Event, lineage: Sequence[str]) -> Iterator[str]:
    """Yield the URIs that show the state of a session, including those of its parents."""
    yield uris.SESSIONS
    yield from map(uris.session, {event.session_id, *lineage})
    match event:
        case backend_events.SessionChanged():
            return
        case backend_events.SessionDeleted(session_id=session_id):
            yield f"{uris.session(session_id)}/"
            yield uris.message(session_id, "")
        case _:
            yield uris.PROJECT
    # The event does not name the prompt, so all runs of the session may have changed.
    yield from (uris.run(session_id, "") for session_id in {event.session_id, *lineage})
