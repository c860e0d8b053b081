"""Prompts as they are sent, and the refusal of parts that OpenCode would ignore."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.errors import BridgeError, InvalidArgument, NotFound, OperatorError
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.v1.adapter import prompt_body
from opencode_mcp.opencode.vocabulary.submission import Attachment
from opencode_mcp.opencode.vocabulary.wire.providers import Provider, ProviderModel, Providers
from opencode_mcp.runs.prompting.prompt import Prompt, check_prompt, missing_model
from opencode_mcp.runs.prompting.reload import InstanceReload, Missing
from tests.harness.each import for_each
from tests.harness.servers.opencode import OpenCode

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TEXT = {"type": "text", "text": "Do it"}


def provider(name: str, *models: str) -> Provider:
    return Provider(id=name, models={model: ProviderModel(id=model) for model in models})


OPUS = ProviderModel(id="opus", variants={"high": {}, "low": {}})
PROVIDERS = Providers(
    all=[
        Provider(id="good", models={"opus": OPUS}),
        provider("big", *(f"m{n}" for n in range(20))),
        provider("shut", "x"),
    ],
    connected=["good", "big"],
)


@for_each(
    ("chosen", "more"),
    [
        ({}, {}),
        ({"agent": "plan"}, {"agent": "plan"}),
        ({"model": "a/b"}, {"model": {"providerID": "a", "modelID": "b"}}),
        ({"model": "router/vendor/m"}, {"model": {"providerID": "router", "modelID": "vendor/m"}}),
        ({"variant": "high"}, {"variant": "high"}),
        ({"output_schema": SCHEMA}, {"format": {"type": "json_schema", "schema": SCHEMA}}),
        ({"title": "Only of the session"}, {}),
    ],
)
def test_only_what_was_chosen_is_sent(chosen: dict[str, Any], more: dict[str, object]) -> None:
    body = prompt_body(Prompt(text="Do it", directory="/p", **chosen).submission("msg_1"))
    assert body == {"messageID": "msg_1", "parts": [TEXT], **more}


def test_a_file_goes_as_a_part_of_the_prompt() -> None:
    file = Attachment("text/plain", "file:///p/two%20words/a.py", "a.py")
    parts = prompt_body(Prompt(text="Do it", directory="/p", files=[file]).submission("msg_1"))["parts"]
    assert isinstance(parts, list)
    assert parts[1] == {
        "type": "file",
        "mime": "text/plain",
        "url": "file:///p/two%20words/a.py",
        "filename": "a.py",
    }


def _refuse(missing: Missing | None) -> None:
    if missing:
        raise missing.error


@for_each(
    ("name", "variant", "kind", "said"),
    [
        ("opus", "", InvalidArgument, "Write provider/model: good/opus"),
        ("good/", "", InvalidArgument, "names no provider"),
        ("good/opsu", "", NotFound, "These would work: good/opus"),
        ("nosuch/opus", "", NotFound, "These would work: good/opus"),
        ("shut/x", "", OperatorError, "no credentials for the provider 'shut'"),
        ("shut/x", "", OperatorError, "opencode auth login"),
        ("good/opus", "huge", NotFound, "It has high, low"),
        ("big/m1", "huge", NotFound, "It has none"),
        ("zzz", "", InvalidArgument, "and 13 more"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_with_similar_ones(
    name: str, variant: str, kind: type[BridgeError], said: str
) -> None:
    with pytest.raises(kind) as refused:
        _refuse(missing_model(PROVIDERS, name, variant))
    assert said in str(refused.value)


@pytest.mark.parametrize(("name", "variant"), [("good/opus", ""), ("good/opus", "high"), ("big/m19", "")])
def test_a_model_that_can_be_used_passes(name: str, variant: str) -> None:
    assert missing_model(PROVIDERS, name, variant) is None


@pytest.fixture
async def client(opencode_server: OpenCode) -> AsyncGenerator[OpenCodeClient]:
    async with connected(Endpoint(url=opencode_server.url, password=opencode_server.password)) as connection:
        yield connection


@pytest.mark.anyio
@pytest.mark.integration
@pytest.mark.parametrize(
    ("chosen", "kind", "said"),
    [
        ({"text": " \n"}, InvalidArgument, "The prompt is empty"),
        ({"agent": "biuld"}, NotFound, "The agents are build"),
        ({"model": "scripted/m3"}, NotFound, "scripted/m1"),
        ({"model": "anthropic/claude-sonnet-4-5"}, OperatorError, "no credentials"),
        ({"model": "scripted/m1", "variant": "huge"}, NotFound, "no variant 'huge'"),
        ({"output_schema": {"type": "objekt"}}, InvalidArgument, "output_schema"),
    ],
)
async def test_what_opencode_would_accept_in_silence_is_refused(
    client: OpenCodeClient, project: Path, chosen: dict[str, Any], kind: type[BridgeError], said: str
) -> None:
    fields: dict[str, Any] = {"text": "Do it", "directory": str(project), **chosen}
    prompt = Prompt(**fields)
    with pytest.raises(kind) as refused:
        await check_prompt(client, prompt, InstanceReload())
    assert said in str(refused.value)


@pytest.mark.anyio
@pytest.mark.integration
async def test_what_exists_passes(client: OpenCodeClient, project: Path) -> None:
    prompt = Prompt(
        text="Do it", directory=str(project), agent="plan", model="scripted/m2", variant="high", output_schema=SCHEMA
    )
    await check_prompt(client, prompt, InstanceReload())
