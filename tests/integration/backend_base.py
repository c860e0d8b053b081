"""OpenCode as a test sees it beside the bridge, over plain HTTP: the methods that both generations have."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx

from tests.harness.waiting import eventually

Json = dict[str, Any]
Kind = Literal["permission", "question"]
SHELLS = frozenset({"bash", "shell"})
"""Names of the shell tool in the two generations."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An open request of a session."""

    id: str
    session_id: str
    patterns: tuple[str, ...] = ()
    """Patterns of a permission; a question has none."""


class Backend(ABC):
    """OpenCode in one project; a context that closes the connection.

    Args:
        http: Client that is bound to the project's directory.
        directory: The project's directory.
    """

    def __init__(self, http: httpx.AsyncClient, directory: Path) -> None:
        self.http = http
        self.directory = directory

    async def __aenter__(self) -> Self:
        """Open the connection."""
        await self.http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self.http.__aexit__(kind, error, trace)

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read JSON."""
        return (await self.http.get(path)).raise_for_status().json()

    async def post(self, path: str, body: Json | None = None) -> None:
        """Post, and require success."""
        (await self.http.post(path, json=body or {})).raise_for_status()

    # --- Sessions

    @abstractmethod
    async def create_session(self, title: str = "") -> str:
        """Create a session as another client does, and return its id."""

    @abstractmethod
    async def session(self, session_id: str) -> Json:
        """Return a session; ``id``, ``title``, ``parentID``, ``metadata`` and ``time`` are the same in both."""

    @abstractmethod
    async def set_metadata(self, session_id: str, metadata: Json) -> None:
        """Replace the metadata of a session."""

    @abstractmethod
    async def rename(self, session_id: str, title: str) -> None:
        """Give a session another title."""

    @abstractmethod
    async def delete(self, session_id: str) -> None:
        """Delete a session."""

    @abstractmethod
    async def sessions(self) -> list[Json]:
        """Return the sessions of the project, the latest changed one first."""

    @abstractmethod
    async def children(self, session_id: str) -> list[str]:
        """Return the sessions of a session's subagents."""

    @abstractmethod
    async def busy(self) -> set[str]:
        """Return the sessions of the project that OpenCode works on."""

    @abstractmethod
    async def titled(self, title: str) -> list[str]:
        """Return the sessions of the project that have a title and no parent."""

    @abstractmethod
    async def load(self) -> None:
        """Make OpenCode load the project, and wait until it has its models."""

    @abstractmethod
    async def dispose(self) -> None:
        """Make OpenCode read the files of the project again."""

    async def session_ids(self) -> list[str]:
        """Return the ids of the sessions of the project, the latest changed one first."""
        return [session["id"] for session in await self.sessions()]

    async def latest_session(self) -> str:
        """Return the session of the project that was created last."""
        return str(max(await self.sessions(), key=lambda session: session["time"]["created"])["id"])

    async def idle(self, session_id: str) -> None:
        """Wait until OpenCode does not work on a session."""

        async def look() -> bool:
            return session_id not in await self.busy()

        await eventually(look)

    # --- Work

    @abstractmethod
    async def prompt(self, session_id: str, text: str) -> None:
        """Prompt a session as another client does, without a wait for the answer."""

    async def run(self, session_id: str, text: str) -> None:
        """Prompt a session, and wait for the end of the run."""
        await self.prompt(session_id, text)
        await self.end(session_id)

    @abstractmethod
    async def end(self, session_id: str) -> None:
        """Wait until a prompt that was just given is answered."""

    @abstractmethod
    async def command(self, session_id: str, name: str, arguments: str) -> None:
        """Run a slash command, and wait for the end of its run."""

    @abstractmethod
    async def notes(self, session_id: str, *texts: str) -> list[str]:
        """Add messages of the person's that need no run each, and return the ids of all messages that this added."""

    @abstractmethod
    async def abort(self, session_id: str) -> None:
        """Stop the work on a session."""

    @abstractmethod
    async def message_ids(self, session_id: str) -> list[str]:
        """Return the ids of what the person and the model wrote in a session, oldest first."""

    @abstractmethod
    async def prompt_ids(self, session_id: str) -> list[str]:
        """Return the ids of the prompts that a session was given."""

    @abstractmethod
    async def prompt_texts(self, session_id: str) -> list[str]:
        """Return the texts of the prompts that a session was given."""

    @abstractmethod
    async def waiting_prompts(self, session_id: str) -> list[str]:
        """Return the ids of the prompts that a session was given, and that it has not begun."""

    @abstractmethod
    async def is_answered(self, session_id: str) -> bool:
        """Return True if the last answer of a session is complete, has no error, and calls no tool."""

    async def prompts(self, session_id: str) -> int:
        """Return the number of prompts that a session was given."""
        return len(await self.prompt_ids(session_id))

    @abstractmethod
    async def attachments(self, session_id: str) -> list[tuple[str, str]]:
        """Return the types and names of the files that were attached to the prompts of a session."""

    @abstractmethod
    async def said(self, session_id: str) -> str:
        """Return the last text of a session."""

    @abstractmethod
    async def commands(self, session_id: str) -> list[str]:
        """Return the shell commands that the model began in a session."""

    # --- Requests

    @abstractmethod
    async def requests(self, kind: Kind = "permission") -> list[Asked]:
        """Return the open requests of the project."""

    @abstractmethod
    async def allow(self, request: Asked) -> None:
        """Allow a permission once, as another client does."""

    @abstractmethod
    async def answer(self, question: Asked, label: str) -> None:
        """Answer a question of one field, as another client does."""

    async def asked(self, session_id: str, kind: Kind = "permission") -> Asked:
        """Wait for a request of a session."""

        async def look() -> Asked | None:
            return next((request for request in await self.requests(kind) if request.session_id == session_id), None)

        return cast("Asked", await eventually(look))

    async def open_ids(self, kind: Kind = "permission") -> list[str]:
        """Return the ids of the open requests of the project."""
        return [request.id for request in await self.requests(kind)]
