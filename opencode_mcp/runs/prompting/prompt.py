"""A caller's prompt, and the checks that OpenCode leaves out: it accepts an unknown agent or model with status 204."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from opencode_mcp.errors import InvalidArgument, NotFound, OperatorError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.submission import Attachment, PromptSubmission, SessionSettings
from opencode_mcp.opencode.vocabulary.wire.providers import ProviderModel, Providers
from opencode_mcp.runs.output_schema.checker_process import check_schema_apart
from opencode_mcp.runs.prompting.reload import InstanceReload, Missing
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.similar_names import similar_names
from opencode_mcp.workspace.configuration.definitions import DefinitionQuery

NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt to OpenCode; empty texts leave the choice to OpenCode."""

    text: str
    directory: str
    """Absolute path of the project."""
    agent: str = ""
    model: str = ""
    """As ``provider/model``."""
    variant: str = ""
    files: Sequence[Attachment] = ()
    """Files and folders to attach, already checked."""
    output_schema: Mapping[str, Any] | None = field(default=None)
    """JSON Schema of the answer."""
    title: str = ""
    """Title of a new session."""
    message_id: str = ""
    """Id for its message, which nothing else has; empty: one is made when it is sent."""

    @property
    def settings(self) -> SessionSettings:
        """Return the settings of a session that is created for this prompt."""
        return SessionSettings(agent=self.agent, model=self.model, variant=self.variant)

    def submission(self, message_id: str, *, is_first: bool = False) -> PromptSubmission:
        """Return what is handed to OpenCode.

        Args:
            message_id: Id that the prompt's message gets.
            is_first: Whether the session was created for this prompt, with its settings.
        """
        return PromptSubmission(
            message_id=message_id,
            text=self.text,
            files=self.files,
            agent=self.agent,
            model=self.model,
            variant=self.variant,
            output_schema=self.output_schema,
            is_first=is_first,
        )


async def check_prompt(client: OpenCodeClient, prompt: Prompt, instance_reload: InstanceReload) -> None:
    """Refuse a prompt that OpenCode would accept and then fail at.

    Args:
        client: Sends the requests.
        prompt: The caller's prompt.
        instance_reload: Makes OpenCode read its files again.

    Raises:
        InvalidArgument: The prompt is empty, or the schema is none.
        NotFound: There is no such agent, model or variant; the hint names those that there are.
        OperatorError: The model's provider has no credentials.
    """
    if not prompt.text.strip():
        raise InvalidArgument("The prompt is empty.", hint="Say what OpenCode should do.")
    if prompt.output_schema is not None:
        await check_schema_apart(prompt.output_schema)
    if prompt.agent:
        await instance_reload.find(client, prompt.directory, partial(_find_agent, client, prompt))
    if model := prompt.model or await _model_of_variant(client, prompt):
        find = partial(find_missing_model, client, prompt.directory, model, prompt.variant)
        await instance_reload.find(client, prompt.directory, find)


async def _model_of_variant(client: OpenCodeClient, prompt: Prompt) -> str:
    """Return the default model if the prompt names a variant without a model; empty if it names neither.

    Raises:
        InvalidArgument: OpenCode has no default model either.
    """
    if not prompt.variant:
        return ""
    model = await client.default_model(prompt.directory)
    if not model:
        raise InvalidArgument("A variant is of a model, and none is named.", hint="Give model, too.")
    return model


async def _find_agent(client: OpenCodeClient, prompt: Prompt) -> Missing | None:
    names = [agent.name for agent in await client.agents(prompt.directory)]
    if prompt.agent in names:
        return None
    error = NotFound(f"OpenCode has no agent {prompt.agent!r}.", hint=f"The agents are {_listed(names)}.")
    return Missing(DefinitionQuery("agent", (prompt.agent,)), error)


async def find_missing_model(client: OpenCodeClient, directory: str, name: str, variant: str = "") -> Missing | None:
    """Find what is missing for a model to be used, if anything is (``config.providers``).

    The list of every known model (``provider.list``) is 7 MB, so it is read only to explain a name that is not usable.

    Args:
        client: Asks OpenCode.
        directory: The project's.
        name: As ``provider/model``.
        variant: The model's variant; empty: none.

    Raises:
        InvalidArgument: The name has no provider.
        BackendError: OpenCode could not be asked.
    """
    if missing_model(await client.used_providers(directory), name, variant) is None:
        return None
    missing = missing_model(await client.providers(directory), name, variant)
    if missing and missing.query.kind == "model":
        missing.error.hint += await _about_models(client, directory)
    return missing


async def _about_models(client: OpenCodeClient, directory: str) -> str:
    """Return sentences for a caller who named a model that OpenCode lacks; each begins with a space."""
    default = await client.default_model(directory)
    listed_only_usable = not (await client.features()).unusable_models
    return "".join(
        [
            f" The default of OpenCode is {default}." if default else "",
            " OpenCode lists a model only if its provider has credentials." if listed_only_usable else "",
        ]
    )


def missing_model(providers: Providers, name: str, variant: str = "") -> Missing | None:
    """Return what a model lacks to be used, with the error to raise; ``None`` if it can be used.

    The error is ``NotFound`` where there is no such provider, model or variant, and ``OperatorError`` where the
    provider has no credentials.

    Raises:
        InvalidArgument: The name has no provider.
    """
    provider_id, _, model_id = name.partition("/")
    provider = next((item for item in providers.all if item.id == provider_id), None)
    usable = providers.usable
    if not model_id:
        raise InvalidArgument(
            f"The model {name!r} names no provider.", hint=f"Write provider/model: {_similar(name, usable)}."
        )
    if provider is None or model_id not in provider.models:
        error = NotFound(f"OpenCode has no model {name!r}.", hint=f"These would work: {_similar(name, usable)}.")
        return Missing(DefinitionQuery("model", (provider_id, model_id)), error)
    if provider_id not in providers.connected:
        hint = f"Run `opencode auth login`, or use {_similar(name, usable)}."
        locked = OperatorError(f"OpenCode has no credentials for the provider {provider_id!r}.", hint=hint)
        return Missing(DefinitionQuery("credential", (provider_id,)), locked)
    return _missing_variant(name, provider.models[model_id], variant)


def _missing_variant(name: str, model: ProviderModel, variant: str) -> Missing | None:
    if not variant or variant in model.variants:
        return None
    error = NotFound(f"The model {name!r} has no variant {variant!r}.", hint=f"It has {_listed(model.variants)}.")
    provider_id, _, model_id = name.partition("/")
    return Missing(DefinitionQuery("variant", (provider_id, model_id, variant)), error)


def _similar(name: str, names: Sequence[str]) -> str:
    return _listed(similar_names(name, names, count=NAMES_SHOWN, cutoff=0.4) or names)


def _listed(names: Iterable[str]) -> str:
    return listed(list(names), NAMES_SHOWN) or "none"
