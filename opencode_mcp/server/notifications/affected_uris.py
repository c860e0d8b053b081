"""Which resources an event of OpenCode's changes, by their addresses without queries. Pure."""

from collections.abc import Iterator, Sequence
from typing import cast

from opencode_mcp.events import wire
from opencode_mcp.server import uris


def names_of(uri: str) -> tuple[str, str]:
    """The names under which a change of an address is told: its own, and that of all that is directly below another."""
    address = uris.without_query(uri)
    return address, address[: address.rfind("/") + 1]


def changed_by(event: wire.Event, lineage: Sequence[str] = ()) -> Iterator[str]:
    """The addresses of the resources that an event changes; one that ends in a slash is of all directly below it.

    Args:
        event: What happened.
        lineage: Its session, whose subagent that is, and so on up.
    """
    session_id = event.session_id
    match event:
        case wire.MessageChanged(message=message):
            yield from _message(session_id, message.id)
            yield uris.run(session_id, message.parent_id or message.id)
            if message.role == "user":
                # OpenCode puts what a prompt changed into the prompt's own message.
                yield uris.diff(session_id)
        case wire.PartChanged(part=part):
            yield from _message(session_id, str(part.get("messageID")))
            yield from _patch(session_id, part)
        case wire.PartGrew(message_id=message_id):
            yield from _message(session_id, message_id)
        case wire.TodosChanged():
            yield uris.todo(session_id)
            yield uris.session(session_id)
        case _ if session_id:
            yield from _session(event, lineage)
        case _:
            pass


def _message(session_id: str, message_id: str) -> Iterator[str]:
    yield uris.transcript(session_id)
    yield uris.message(session_id, message_id)


def _patch(session_id: str, part: wire.JsonMap) -> Iterator[str]:
    """The files that a step changed, whichever folder on their way is the project that an address is relative to."""
    if part.get("type") != "patch":
        return
    yield uris.diff(session_id)
    files: object = part.get("files")
    for path in cast("list[object]", files) if isinstance(files, list) else ():
        steps = str(path).replace("\\", "/").split("/")
        yield from (uris.file("/".join(steps[number:])) for number in range(len(steps)))


def _session(event: wire.Event, lineage: Sequence[str]) -> Iterator[str]:
    """What a session is, does and asks; its parents show that too."""
    yield uris.SESSIONS
    yield from map(uris.session, {event.session_id, *lineage})
    match event:
        case wire.SessionChanged():
            return
        case wire.SessionDeleted(session_id=session_id):
            yield f"{uris.session(session_id)}/"
            yield uris.message(session_id, "")
        case _:
            yield uris.PROJECT
    # Whichever prompt's: the event does not say.
    yield from (uris.run(session_id, "") for session_id in {event.session_id, *lineage})
