"""Calls of OpenCode 2 about sessions: lists, records, changes and undoing."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial

from opencode_mcp.errors import BackendError, BackendFailed, BridgeError, NotFound
from opencode_mcp.opencode.lost_replies import MAY_BE_EMPTY, is_reply_lost
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.data_caller import DIFF_CONTEXT
from opencode_mcp.opencode.v2.calls.settings_calls import SettingsCalls
from opencode_mcp.opencode.v2.session_ids import new_session_id
from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter
from opencode_mcp.opencode.vocabulary.submission import SessionSettings
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps

logger = logging.getLogger(__name__)

SESSIONS_A_PAGE = 200
MOST_PAGES = 100
"""Most pages of sessions that one list has. The last page has a cursor, too, which therefore does not end a list."""
LIST_ATTEMPTS = 3
FROM_THE_LATEST = "9" * 15
"""Cursor of the whole list, which follows a page of sessions in any order."""


class SessionCalls(SettingsCalls):
    """Calls about sessions."""

    async def session_create(
        self,
        directory: str,
        *,
        title: str = "",
        metadata: Mapping[str, object] | None = None,
        settings: SessionSettings | None = None,
    ) -> Session:
        """Call ``session.create`` with an id of our own, by which the session is found again if the reply is lost."""
        given = {"title": title, "metadata": metadata, **await self._settings_of_new(directory, settings)}
        session_id = new_session_id(self._sender.clock.now())
        body = {name: value for name, value in given.items() if value}
        body |= {"id": session_id, "location": {"directory": directory}}
        create = partial(self._data, "session.create", body=body)
        try:
            return conversions.session_of(await create())
        except BackendError as error:
            if not is_reply_lost(error):
                raise
            return await self._created_or_create(session_id, create, error)

    async def _created_or_create(
        self, session_id: str, create: Callable[[], Awaitable[object]], first: BridgeError
    ) -> Session:
        """Return a session whose creation got no reply; create it again if OpenCode does not have it.

        Raises:
            BridgeError: The first failure: the session could be neither found nor created.
        """
        try:
            try:
                return await self.session_get(session_id)
            except NotFound:
                return conversions.session_of(await create())
        except BridgeError as error:
            logger.info("the session %s could not be found or created: %s", session_id, error)
            first.hint = MAY_BE_EMPTY
            raise first from error

    async def session_get(self, session_id: str, directory: str = "") -> Session:
        """Call ``session.get``, or ``session.list`` if it fails; the directory is not needed.

        OpenCode fails at a session whose directory does not exist any more, and lists it all the same.
        """
        del directory
        try:
            return conversions.session_of(await self._data("session.get", path={"sessionID": session_id}))
        except BackendFailed:
            async for session in self._sessions(SessionFilter(archived=True), ""):
                if session.id == session_id:
                    return session
            raise

    async def session_set_metadata(self, session: Session, metadata: Mapping[str, object]) -> None:
        """Call ``session.update``."""
        await self.call("session.update", path={"sessionID": session.id}, body={"metadata": metadata})

    async def session_rename(self, session: Session, title: str) -> None:
        """Call ``session.update``."""
        await self.call("session.update", path={"sessionID": session.id}, body={"title": title})

    async def session_archive(self, session: Session, *, archived: bool) -> None:
        """Call ``session.update``."""
        await self.call("session.update", path={"sessionID": session.id}, body={"archived": archived})

    async def session_delete(self, session_id: str) -> None:
        """Call ``session.remove``."""
        await self.call("session.remove", path={"sessionID": session_id})

    async def all_sessions(self, wanted: SessionFilter, directory: str = "") -> Page[Session]:
        """Call ``session.list`` and ``session.active``.

        OpenCode 2 orders its list by a time that does not change when a session goes on, so the whole list is read and
        ordered here, unless the order does not matter. Its own cursor is of no use: it holds the filters, and is there
        on the last page too.
        """
        found = await self._fitting(wanted, directory)
        return _unordered_page(found, wanted.limit) if wanted.any_order else _latest_page(found, wanted.limit)

    async def _fitting(self, wanted: SessionFilter, directory: str) -> list[Session]:
        """Return the sessions that fit a filter; if the order does not matter, at most one more than its limit."""
        found: list[Session] = []
        active = {} if wanted.any_order else await self.session_status(directory)
        now = int(self._sender.clock.now() * 1000)
        async for listed in self._sessions(wanted, directory):
            session = _changed_at(listed, now) if listed.id in active else listed
            if _is_wanted(session, wanted):
                found.append(session)
            if wanted.any_order and len(found) > wanted.limit:
                break
        return found

    async def _sessions(self, wanted: SessionFilter, directory: str) -> AsyncIterator[Session]:
        """Yield sessions from the latest one on, the archived ones last."""
        query = _query_of(wanted, directory)
        async for session in self._listed(query):
            if session.time.archived is None:
                yield session
        if wanted.archived:
            async for session in self._listed(query | {"archived": True}):
                if session.time.archived is not None:
                    yield session

    async def _listed(self, query: dict[str, object]) -> AsyncIterator[Session]:
        """Yield what ``session.list`` has, in its order."""
        for _ in range(MOST_PAGES):
            reply = await self._page(query)
            items = as_maps(reply.get("data"))
            for item in items:
                yield conversions.session_of(item)
            following = as_map(reply.get("cursor")).get("next")
            if len(items) < SESSIONS_A_PAGE or not following:
                return
            query = {"cursor": following, "limit": SESSIONS_A_PAGE}
        logger.warning("OpenCode has more than %s sessions; the others are not read", MOST_PAGES * SESSIONS_A_PAGE)

    async def session_children(self, session_id: str) -> list[Session]:
        """Call ``session.list`` with the parent."""
        reply = await self._page({"parentID": session_id, "limit": SESSIONS_A_PAGE})
        return [conversions.session_of(item) for item in as_maps(reply.get("data"))]

    async def _page(self, query: dict[str, object]) -> JsonMap:
        """Call ``session.list``, again if one of the listed sessions was deleted while OpenCode made the list."""
        for _ in range(LIST_ATTEMPTS - 1):
            try:
                return as_map(await self.call("session.list", query=query))
            except NotFound as error:
                logger.info("the list of sessions failed: %s", error)
        return as_map(await self.call("session.list", query=query))

    async def session_status(self, directory: str) -> dict[str, SessionStatus]:
        """Call ``session.active``: the busy sessions of all directories. It does not tell a retry from other work."""
        del directory
        active = as_map(await self._data("session.active"))
        return {session_id: SessionStatus(type="busy") for session_id in active}

    async def running_sessions(self, directory: str) -> list[str]:
        """Call ``session.active``, and ``session.get`` for each, since the list has no directories."""
        return [session.id for session in await self._active_sessions() if session.directory == directory]

    async def sessions_in_use(self, since: float) -> list[Session]:
        """Call ``session.active``, and ``session.get`` for each."""
        del since
        return [session for session in await self._active_sessions() if not session.parent_id]

    async def _active_sessions(self) -> list[Session]:
        found: list[Session] = []
        for session_id in await self.session_status(""):
            try:
                found.append(await self.session_get(session_id))
            except NotFound:
                continue  # Deleted meanwhile.
        return found

    async def session_todo(self, session_id: str) -> list[Todo]:
        """Return nothing: OpenCode 2 has no todo lists."""
        del session_id
        return []

    async def session_diff(self, session_id: str, message_id: str) -> list[FileDiff]:
        """Call ``session.diff`` for the turn of a prompt."""
        query = {"from": message_id, "context": DIFF_CONTEXT}
        return conversions.diffs_of(await self._data("session.diff", path={"sessionID": session_id}, query=query))

    async def session_revert(self, session_id: str, message_id: str) -> Session:
        """Call ``session.revert.stage``, with the files."""
        body = {"messageID": message_id, "files": True}
        await self.call("session.revert.stage", path={"sessionID": session_id}, body=body)
        return await self.session_get(session_id)

    async def session_unrevert(self, session_id: str) -> Session:
        """Call ``session.revert.clear``, which starts an execution that does nothing."""
        session = await self.session_get(session_id)
        if session.revert is None:
            return session
        await self.call("session.revert.clear", path={"sessionID": session_id})
        return await self.session_get(session_id)

    async def session_fork(self, session_id: str, message_id: str = "") -> Session:
        """Call ``session.fork``."""
        body = {"before": message_id} if message_id else {}
        return conversions.session_of(await self._data("session.fork", path={"sessionID": session_id}, body=body))


def _changed_at(session: Session, milliseconds: float) -> Session:
    """Return a session with the time of its last change, in milliseconds since the epoch."""
    return session.model_copy(update={"time": session.time.model_copy(update={"updated": milliseconds})})


def _is_wanted(session: Session, wanted: SessionFilter) -> bool:
    changed = session.time.updated
    return changed >= wanted.since and (not wanted.before or changed < wanted.before)


def _query_of(wanted: SessionFilter, directory: str) -> dict[str, object]:
    """Return the query of the first page of a list."""
    filters = {"search": wanted.search, "parentID": "null" if wanted.roots else "", "directory": directory}
    used = {name: value for name, value in filters.items() if value}
    return {"limit": SESSIONS_A_PAGE, "order": "desc", **used}


def _unordered_page(found: list[Session], limit: int) -> Page[Session]:
    """Return the first of some sessions; if there are more, the cursor is that of the whole list."""
    return Page(found[:limit], FROM_THE_LATEST if len(found) > limit else "")


def _latest_page(found: list[Session], limit: int) -> Page[Session]:
    """Return the latest of some sessions, with the time of the last one as the cursor of the earlier ones."""
    latest = sorted(found, key=lambda session: session.time.updated, reverse=True)
    shown = latest[:limit]
    return Page(shown, f"{shown[-1].time.updated:.0f}" if len(found) > limit else "")
