"""Calls of OpenCode 2 about sessions: lists, records, changes and undoing."""

from collections.abc import AsyncIterator, Mapping

from opencode_mcp.errors import (
    NotFound,
)
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.data_caller import DIFF_CONTEXT, DataCaller
from opencode_mcp.opencode.vocabulary.models import (
    FileDiff,
    Session,
    SessionStatus,
    Todo,
)
from opencode_mcp.opencode.vocabulary.selection import Page, SessionFilter
from opencode_mcp.text.json_values import as_map, as_maps

SESSIONS_A_PAGE = 200


class SessionCalls(DataCaller):
    """Calls about sessions."""

    async def session_create(
        self, directory: str, *, title: str = "", metadata: Mapping[str, object] | None = None
    ) -> Session:
        """Call ``session.create``."""
        given = {"title": title, "metadata": metadata}
        body = {name: value for name, value in given.items() if value} | {"location": {"directory": directory}}
        return conversions.session_of(await self._data("session.create", body=body))

    async def session_get(self, session_id: str, directory: str = "") -> Session:
        """Call ``session.get``; the directory is not needed."""
        del directory
        return conversions.session_of(await self._data("session.get", path={"sessionID": session_id}))

    async def session_set_metadata(self, session: Session, metadata: Mapping[str, object]) -> None:
        """Call ``session.update``."""
        await self.call("session.update", path={"sessionID": session.id}, body={"metadata": metadata})

    async def session_delete(self, session_id: str) -> None:
        """Call ``session.remove``."""
        await self.call("session.remove", path={"sessionID": session_id})

    async def all_sessions(self, wanted: SessionFilter, directory: str = "") -> Page[Session]:
        """Call ``session.list`` until enough sessions of the wanted time are found.

        Its own cursor is of no use here: it holds the filters, and is there on the last page too.
        """
        found: list[Session] = []
        async for session in self._sessions(wanted, directory):
            if session.time.updated < wanted.since:
                break
            if not wanted.before or session.time.updated < wanted.before:
                found.append(session)
            if len(found) > wanted.limit:
                return Page(found[: wanted.limit], f"{found[wanted.limit - 1].time.updated:.0f}")
        return Page(found, "")

    async def _sessions(self, wanted: SessionFilter, directory: str) -> AsyncIterator[Session]:
        """Yield the sessions from the latest changed one on."""
        query: dict[str, object] = {"limit": SESSIONS_A_PAGE, "order": "desc"}
        query |= {"search": wanted.search} if wanted.search else {}
        query |= {"parentID": "null"} if wanted.roots else {}
        query |= {"directory": directory} if directory else {}
        while True:
            reply = as_map(await self.call("session.list", query=query))
            items = as_maps(reply.get("data"))
            for item in items:
                session = conversions.session_of(item)
                if wanted.archived or not as_map(item.get("time")).get("archived"):
                    yield session
            following = as_map(reply.get("cursor")).get("next")
            if len(items) < SESSIONS_A_PAGE or not following:
                return
            query = {"cursor": following, "limit": SESSIONS_A_PAGE}

    async def session_children(self, session_id: str) -> list[Session]:
        """Call ``session.list`` with the parent."""
        query = {"parentID": session_id, "limit": SESSIONS_A_PAGE}
        return [conversions.session_of(item) for item in as_maps(await self._data("session.list", query=query))]

    async def session_status(self, directory: str) -> dict[str, SessionStatus]:
        """Call ``session.active``: the busy sessions of all directories. It does not tell a retry from other work."""
        del directory
        active = as_map(await self._data("session.active"))
        return {session_id: SessionStatus(type="busy") for session_id in active}

    async def running_sessions(self, directory: str) -> list[str]:
        """Call ``session.active``, and ``session.get`` for each, since the list has no directories."""
        found: list[str] = []
        for session_id in await self.session_status(directory):
            try:
                session = await self.session_get(session_id)
            except NotFound:
                continue  # Deleted meanwhile.
            if session.directory == directory:
                found.append(session_id)
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
