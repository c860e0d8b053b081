"""OpenCode 1 as a test sees it beside the bridge, over plain HTTP."""

from typing import cast

from tests.harness.waiting import eventually
from tests.integration.backend_base import SHELLS, Asked, Backend, Json, Kind


class Backend1(Backend):
    """OpenCode 1 in one project."""

    async def create_session(self, title: str = "") -> str:
        """Call ``POST /session``."""
        body = {"title": title} if title else {}
        return str((await self.http.post("/session", json=body)).raise_for_status().json()["id"])

    async def session(self, session_id: str) -> Json:
        """Call ``GET /session/{id}``."""
        return cast("Json", await self.get(f"/session/{session_id}"))

    async def set_metadata(self, session_id: str, metadata: Json) -> None:
        """Call ``PATCH /session/{id}``."""
        (await self.http.patch(f"/session/{session_id}", json={"metadata": metadata})).raise_for_status()

    async def rename(self, session_id: str, title: str) -> None:
        """Call ``PATCH /session/{id}``."""
        (await self.http.patch(f"/session/{session_id}", json={"title": title})).raise_for_status()

    async def delete(self, session_id: str) -> None:
        """Call ``DELETE /session/{id}``."""
        (await self.http.delete(f"/session/{session_id}")).raise_for_status()

    async def sessions(self) -> list[Json]:
        """Call ``GET /session``."""
        return cast("list[Json]", await self.get("/session"))

    async def children(self, session_id: str) -> list[str]:
        """Call ``GET /session/{id}/children``."""
        return [session["id"] for session in await self.get(f"/session/{session_id}/children")]

    async def busy(self) -> set[str]:
        """Call ``GET /session/status``."""
        return set(await self.get("/session/status"))

    async def titled(self, title: str) -> list[str]:
        """Call ``GET /session``."""
        found = (await self.http.get("/session", params={"search": title})).raise_for_status().json()
        return [session["id"] for session in found if session["title"] == title and not session.get("parentID")]

    async def load(self) -> None:
        """Call ``GET /provider``."""
        await self.get("/provider")

    async def dispose(self) -> None:
        """Call ``POST /instance/dispose``."""
        await self.post("/instance/dispose")

    async def prompt(self, session_id: str, text: str) -> None:
        """Call ``POST /session/{id}/prompt_async``."""
        await self.post(f"/session/{session_id}/prompt_async", _parts(text))

    async def run(self, session_id: str, text: str) -> None:
        """Call ``POST /session/{id}/message``."""
        await self.post(f"/session/{session_id}/message", _parts(text))

    async def end(self, session_id: str) -> None:
        """Wait for a message of the model after the last prompt, then until the session is idle."""

        async def look() -> bool:
            return (await self._messages(session_id))[-1]["info"]["role"] == "assistant"

        await eventually(look)
        await self.idle(session_id)

    async def command(self, session_id: str, name: str, arguments: str) -> None:
        """Call ``POST /session/{id}/command``."""
        await self.post(f"/session/{session_id}/command", {"command": name, "arguments": arguments})

    async def notes(self, session_id: str, *texts: str) -> list[str]:
        """Call ``POST /session/{id}/message`` with ``noReply``."""
        before = len(await self._messages(session_id))
        for text in texts:
            await self.post(f"/session/{session_id}/message", {**_parts(text), "noReply": True})
        return (await self.message_ids(session_id))[before:]

    async def abort(self, session_id: str) -> None:
        """Call ``POST /session/{id}/abort``."""
        await self.post(f"/session/{session_id}/abort")

    async def message_ids(self, session_id: str) -> list[str]:
        """Call ``GET /session/{id}/message``."""
        return [message["info"]["id"] for message in await self._messages(session_id)]

    async def prompt_ids(self, session_id: str) -> list[str]:
        """Call ``GET /session/{id}/message``."""
        return [message["info"]["id"] for message in await self._messages(session_id) if _is_prompt(message)]

    async def prompt_texts(self, session_id: str) -> list[str]:
        """Call ``GET /session/{id}/message``."""
        prompts = [message for message in await self._messages(session_id) if _is_prompt(message)]
        return ["".join(part.get("text", "") for part in prompt["parts"]) for prompt in prompts]

    async def waiting_prompts(self, session_id: str) -> list[str]:
        """Return nothing: OpenCode 1 has no inbox."""
        del session_id
        return []

    async def is_answered(self, session_id: str) -> bool:
        """Call ``GET /session/{id}/message``."""
        last = (await self._messages(session_id))[-1]["info"]
        return "completed" in last["time"] and not last.get("error") and last.get("finish") != "tool-calls"

    async def attachments(self, session_id: str) -> list[tuple[str, str]]:
        """Call ``GET /session/{id}/message``."""
        parts = [part for message in await self._messages(session_id) for part in message["parts"]]
        return [(part["mime"], part["filename"]) for part in parts if part["type"] == "file"]

    async def said(self, session_id: str) -> str:
        """Call ``GET /session/{id}/message``."""
        messages = await self._messages(session_id)
        texts = [part["text"] for message in messages for part in message["parts"] if part["type"] == "text"]
        return str(texts[-1])

    async def commands(self, session_id: str) -> list[str]:
        """Call ``GET /session/{id}/message``."""
        parts = [part for message in await self._messages(session_id) for part in message["parts"]]
        return [part["state"]["input"]["command"] for part in parts if part.get("tool") in SHELLS]

    async def requests(self, kind: Kind = "permission") -> list[Asked]:
        """Call ``GET /permission`` or ``GET /question``."""
        found = cast("list[Json]", await self.get(f"/{kind}"))
        return [Asked(item["id"], item["sessionID"], tuple(item.get("patterns", ()))) for item in found]

    async def allow(self, request: Asked) -> None:
        """Call ``POST /permission/{id}/reply``."""
        await self.post(f"/permission/{request.id}/reply", {"reply": "once"})

    async def answer(self, question: Asked, label: str) -> None:
        """Call ``POST /question/{id}/reply``."""
        await self.post(f"/question/{question.id}/reply", {"answers": [[label]]})

    async def _messages(self, session_id: str) -> list[Json]:
        return cast("list[Json]", await self.get(f"/session/{session_id}/message"))


def _parts(text: str) -> Json:
    return {"parts": [{"type": "text", "text": text}]}


def _is_prompt(message: Json) -> bool:
    written = [part for part in message["parts"] if part["type"] == "text" and not part.get("synthetic")]
    return message["info"]["role"] == "user" and bool(written)
