"""OpenCode 2 as a test sees it beside the bridge, over plain HTTP."""

from typing import Any, cast

from tests.harness.waiting import eventually
from tests.integration.backend_base import SHELLS, Asked, Backend, Json, Kind
from tests.scripted_model.script import script, text


class Backend2(Backend):
    """OpenCode 2 in one project."""

    async def create_session(self, title: str = "") -> str:
        """Call ``POST /api/session``."""
        body = {"location": {"directory": str(self.directory)}} | ({"title": title} if title else {})
        return str((await self.http.post("/api/session", json=body)).raise_for_status().json()["data"]["id"])

    async def session(self, session_id: str) -> Json:
        """Call ``GET /api/session/{id}``."""
        return cast("Json", await self._data(f"/api/session/{session_id}"))

    async def set_metadata(self, session_id: str, metadata: Json) -> None:
        """Call ``PATCH /api/session/{id}``."""
        (await self.http.patch(f"/api/session/{session_id}", json={"metadata": metadata})).raise_for_status()

    async def rename(self, session_id: str, title: str) -> None:
        """Call ``PATCH /api/session/{id}``."""
        (await self.http.patch(f"/api/session/{session_id}", json={"title": title})).raise_for_status()

    async def delete(self, session_id: str) -> None:
        """Call ``DELETE /api/session/{id}``."""
        (await self.http.delete(f"/api/session/{session_id}")).raise_for_status()

    async def sessions(self) -> list[Json]:
        """Call ``GET /api/session``."""
        return await self._sessions(directory=str(self.directory))

    async def children(self, session_id: str) -> list[str]:
        """Call ``GET /api/session``."""
        return [session["id"] for session in await self._sessions(parentID=session_id)]

    async def busy(self) -> set[str]:
        """Call ``GET /api/session/active``, which has the sessions of all projects."""
        active = set(await self._data("/api/session/active"))
        return active & set(await self.session_ids()) if active else active

    async def titled(self, title: str) -> list[str]:
        """Call ``GET /api/session``."""
        query = {"directory": str(self.directory), "search": title, "parentID": "null"}
        found = await self._data("/api/session", **query)
        return [session["id"] for session in found if session["title"] == title]

    async def load(self) -> None:
        """Read lists that are empty while the project is loaded; the models come first."""
        query = {"location[directory]": str(self.directory)}

        async def look() -> bool:
            return all([await self._data(f"/api/{name}", **query) for name in ("model", "agent", "command")])

        await eventually(look, seconds=60)

    async def dispose(self) -> None:
        """Call ``DELETE /api/debug/location``."""
        query = {"location[directory]": str(self.directory)}
        (await self.http.delete("/api/debug/location", params=query)).raise_for_status()

    async def prompt(self, session_id: str, text: str) -> None:
        """Call ``POST /api/session/{id}/prompt``."""
        await self.post(f"/api/session/{session_id}/prompt", {"text": text})

    async def end(self, session_id: str) -> None:
        """Call ``POST /api/experimental/session/{id}/wait``."""
        await self.post(f"/api/experimental/session/{session_id}/wait")

    async def command(self, session_id: str, name: str, arguments: str) -> None:
        """Call ``POST /api/session/{id}/command``."""
        await self.post(f"/api/session/{session_id}/command", {"name": name, "text": arguments})
        await self.end(session_id)

    async def notes(self, session_id: str, *texts: str) -> list[str]:
        """Call ``POST /api/session/{id}/prompt``; one run takes all notes, and has an answer."""
        before = len(await self.message_ids(session_id))
        for words in texts[:-1]:
            await self.post(f"/api/session/{session_id}/prompt", {"text": words, "resume": False})
        await self.run(session_id, script(text("Noted."), say=texts[-1]))
        return (await self.message_ids(session_id))[before:]

    async def abort(self, session_id: str) -> None:
        """Call ``POST /api/session/{id}/interrupt``."""
        await self.post(f"/api/session/{session_id}/interrupt")

    async def message_ids(self, session_id: str) -> list[str]:
        """Call ``GET /api/session/{id}/message``."""
        messages = await self._messages(session_id)
        return [message["id"] for message in messages if message["type"] in {"user", "assistant"}]

    async def prompt_ids(self, session_id: str) -> list[str]:
        """Call ``GET /api/session/{id}/message``."""
        return [message["id"] for message in await self._messages(session_id) if message["type"] == "user"]

    async def prompt_texts(self, session_id: str) -> list[str]:
        """Call ``GET /api/session/{id}/message``."""
        return [message["text"] for message in await self._messages(session_id) if message["type"] == "user"]

    async def waiting_prompts(self, session_id: str) -> list[str]:
        """Call ``GET /api/session/{id}/inbox``."""
        return [item["id"] for item in await self._data(f"/api/session/{session_id}/inbox") if item["type"] == "user"]

    async def is_answered(self, session_id: str) -> bool:
        """Call ``GET /api/session/{id}/message``."""
        messages = [message for message in await self._messages(session_id) if message["type"] in {"user", "assistant"}]
        last = messages[-1]
        return "completed" in last["time"] and not last.get("error") and last.get("finish") != "tool-calls"

    async def attachments(self, session_id: str) -> list[tuple[str, str]]:
        """Call ``GET /api/session/{id}/message``."""
        prompts = [message for message in await self._messages(session_id) if message["type"] == "user"]
        return [(file["mime"], file["name"]) for prompt in prompts for file in prompt.get("files", ())]

    async def said(self, session_id: str) -> str:
        """Call ``GET /api/session/{id}/message``."""
        return str([part["text"] for part in await self._content(session_id) if part["type"] == "text"][-1])

    async def commands(self, session_id: str) -> list[str]:
        """Call ``GET /api/session/{id}/message``."""
        calls = [part for part in await self._content(session_id) if part["type"] == "tool"]
        return [call["state"]["input"]["command"] for call in calls if call["name"] in SHELLS]

    async def requests(self, kind: Kind = "permission") -> list[Asked]:
        """Call ``GET /api/permission/request`` or ``GET /api/form``."""
        path = "/api/permission/request" if kind == "permission" else "/api/form"
        found = cast("list[Json]", await self._data(path, **{"location[directory]": str(self.directory)}))
        return [Asked(item["id"], item["sessionID"], tuple(item.get("resources", ()))) for item in found]

    async def allow(self, request: Asked) -> None:
        """Call ``POST /api/session/{id}/permission/{id}/reply``."""
        path = f"/api/session/{request.session_id}/permission/{request.id}/reply"
        await self.post(path, {"decision": "once"})

    async def answer(self, question: Asked, label: str) -> None:
        """Call ``POST /api/session/{id}/form/{id}/reply``."""
        path = f"/api/session/{question.session_id}/form/{question.id}/reply"
        await self.post(path, {"answer": {"q0": label}})

    async def new_session(self) -> str:
        """Call ``POST /api/session``, and return the id of the session, which has no prompt."""
        made = await self.http.post("/api/session", json={"location": {"directory": str(self.directory)}})
        return cast("str", made.raise_for_status().json()["data"]["id"])

    async def open_form(self, session_id: str, question: str) -> str:
        """Call ``POST /api/session/{id}/form``, as a plugin does, and return the id of the form."""
        fields = [{"key": "q0", "title": question, "type": "string", "required": True}]
        path = f"/api/session/{session_id}/form"
        made = (await self.http.post(path, json={"title": "A plugin asks", "fields": fields})).raise_for_status()
        return cast("str", made.json()["data"]["id"])

    async def form_answer(self, session_id: str, form_id: str) -> Json:
        """Call ``GET /api/session/{id}/form/{id}``."""
        return cast("Json", (await self._data(f"/api/session/{session_id}/form/{form_id}"))["state"]["answer"])

    async def _data(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON of any shape
        return (await self.http.get(path, params=query)).raise_for_status().json()["data"]

    async def _sessions(self, **query: str) -> list[Json]:
        return cast("list[Json]", await self._data("/api/session", limit="1000", **query))

    async def _messages(self, session_id: str) -> list[Json]:
        query = {"order": "asc", "limit": "200"}
        return cast("list[Json]", await self._data(f"/api/session/{session_id}/message", **query))

    async def _content(self, session_id: str) -> list[Json]:
        """Return what the model wrote and called in a session."""
        answers = [message for message in await self._messages(session_id) if message["type"] == "assistant"]
        return [part for answer in answers for part in answer["content"]]
