"""Calls of OpenCode 2 about the settings of a session: its agent, and its model with a variant.

They belong to the session there, and not to a prompt. So a new session is created with those of its first prompt, and
those of an idle session are set before a later one.
"""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.project_calls import ProjectCalls
from opencode_mcp.opencode.vocabulary.submission import Receipt, SessionSettings
from opencode_mcp.text.json_values import as_map, as_maps, as_text

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonMap

logger = logging.getLogger(__name__)

DEFAULT_VARIANT = "default"
"""Variant of a session whose model was set without one."""


class SettingsCalls(ProjectCalls):
    """Calls about the agent and the model of a session."""

    async def _settings_of_new(self, directory: str, settings: SessionSettings | None) -> dict[str, object]:
        """Return the part of the request that creates a session with settings."""
        if settings is None:
            return {}
        model = await self._wanted_model(directory, settings)
        return {name: value for name, value in {"agent": settings.agent, "model": model}.items() if value}

    async def _session(self, session_id: str) -> "JsonMap":
        return as_map(await self._data("session.get", path={"sessionID": session_id}))

    async def _choose(self, session: "JsonMap", directory: str, settings: SessionSettings) -> Receipt:
        """Set the agent and the model of an idle session, unless it has them; return what was changed.

        Args:
            session: The session as OpenCode returns it.
            directory: Its directory.
            settings: What it should have.
        """
        changed = Receipt(message_id="")
        path = {"sessionID": as_text(session.get("id"))}
        if settings.agent and session.get("agent") != settings.agent:
            await self.call("session.switchAgent", path=path, body={"agent": settings.agent})
            changed = replace(changed, agent=settings.agent)
        wanted = await self._wanted_model(directory, settings)
        if wanted and _model_of(session) != wanted:
            await self.call("session.switchModel", path=path, body={"model": wanted})
            changed = replace(changed, model=conversions.model_name(wanted), variant=wanted.get("variant", ""))
        return changed

    async def _changed_since(self, before: "JsonMap") -> Receipt:
        """Return the settings of a session that differ from earlier ones; none if they cannot be read."""
        try:
            after = await self._session(as_text(before.get("id")))
        except BridgeError as error:
            logger.info("could not read the settings of %s: %s", before.get("id"), error)
            return Receipt(message_id="")
        changed = Receipt(message_id="")
        if after.get("agent") != before.get("agent"):
            changed = replace(changed, agent=as_text(after.get("agent")))
        model = _model_of(after)
        if model != _model_of(before):
            changed = replace(changed, model=conversions.model_name(model), variant=model.get("variant", ""))
        return changed

    async def _wanted_model(self, directory: str, settings: SessionSettings) -> dict[str, str]:
        """Return the reference to a model; without a name that of the agent, which OpenCode 2 itself does not use."""
        if settings.model:
            return conversions.model_reference(settings.model, settings.variant)
        own = await self._model_of_agent(directory, settings.agent) if settings.agent else {}
        if own:
            return own | ({"variant": settings.variant} if settings.variant else {})
        if not settings.variant:
            return {}
        return conversions.model_reference(await self.default_model(directory), settings.variant)

    async def _model_of_agent(self, directory: str, agent: str) -> dict[str, str]:
        for item in as_maps(await self._loaded("agent.list", directory)):
            if item.get("id") == agent:
                return {name: str(value) for name, value in as_map(item.get("model")).items() if value}
        return {}


def _model_of(session: "JsonMap") -> dict[str, str]:
    """Return the reference to the model of a session; the variant that OpenCode 2 calls ``default`` is none."""
    model = {name: as_text(value) for name, value in as_map(session.get("model")).items()}
    if model.get("variant") in {"", DEFAULT_VARIANT}:
        del model["variant"]
    return model
