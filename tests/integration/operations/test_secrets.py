"""No configured secret appears in any reply, in any error, or on stderr; setting one works."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_mcp.opencode.operation_catalog.arguments import arguments_of
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.server.operations.handlers.handler_table import HANDLERS_1
from tests.harness.bridges.bridge import Bridge, data_of, open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.operations import operations
from tests.harness.processes.isolation import environment
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, running_opencode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECRETS = {
    name: f"{name}-4711-secret" for name in ("option", "custom", "header", "model", "variable", "remote", "flag")
}
USER = "user-4711-secret"
CONFIG = {
    "enabled_providers": ["scripted", "anthropic", "other"],
    "provider": {
        "other": {
            "name": "Other",
            "npm": "@ai-sdk/openai-compatible",
            "options": {
                "baseURL": f"https://user:{USER}@host.example/v1",
                "apiKey": SECRETS["option"],
                "unheardOf": SECRETS["custom"],
                "headers": {"X-Company": SECRETS["header"]},
            },
            "models": {"m": {"name": "M", "headers": {"X-Model": SECRETS["model"]}}},
        }
    },
    "mcp": {
        "local": {
            "type": "local",
            "command": ["true", "--api-key", SECRETS["flag"]],
            "environment": {"ANYTHING": SECRETS["variable"]},
            "enabled": False,
        },
        "remote": {
            "type": "remote",
            "url": "https://host.example/mcp",
            "headers": {"Authorization": SECRETS["remote"]},
            "enabled": False,
        },
    },
}
KNOWN = [*SECRETS.values(), USER]


@dataclass(frozen=True, slots=True)
class Vault:
    """A bridge that may do everything with an OpenCode full of secrets."""

    bridge: Bridge
    launch: Launch
    server: OpenCode
    folder: Path

    async def ask(self, operation_id: str, **arguments: object) -> str:
        """All that a host gets of a call, failed or not."""
        effect = operations()[operation_id].effect
        tool = "opencode_read_operation" if effect == "read" else "opencode_call_operation"
        return (await self.bridge.call(tool, operation=operation_id, arguments=arguments)).model_dump_json()


@pytest.fixture(scope="module")
async def vault(tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel) -> AsyncGenerator[Vault]:
    folder = tmp_path_factory.mktemp("secrets")
    project = folder / "project"
    project.mkdir()
    make_project(project)
    base = json.loads(environment(folder, scripted_model.url)["OPENCODE_CONFIG_CONTENT"])
    config = CONFIG | {"provider": base["provider"] | CONFIG["provider"]}
    with running_opencode(environment(folder, scripted_model.url, config), folder / "opencode.log") as server:
        launch = attaching(folder, scripted_model, server, project)
        launch = launch.with_flags("--allow", "execute,admin", "--log-level", "DEBUG")
        async with open_bridge(launch) as bridge:
            yield Vault(bridge, launch, server, folder)


async def test_opencode_itself_returns_the_secrets(vault: Vault) -> None:
    async with vault.server.client(vault.folder / "project") as http:
        reply = (await http.get("/config")).text
    assert all(secret in reply for secret in KNOWN)


async def test_no_reply_of_any_read_holds_one(vault: Vault) -> None:
    asked = 0
    for item in operations().values():
        needed = [name for name, argument in arguments_of(item).items() if argument.required]
        if item.effect != "read" or needed:
            continue
        reply = await vault.ask(item.id, **({"seconds": 0.5} if item.id in HANDLERS_1 else {}))
        assert not [secret for secret in [*KNOWN, vault.server.password] if secret in reply], item.id
        asked += 1
    assert asked > 50


async def test_what_is_no_secret_is_reported(vault: Vault) -> None:
    result = await vault.bridge.call(
        "opencode_read_operation", operation="config.get", arguments={}, select="provider.other"
    )
    provider = data_of(result)["reply"]
    assert provider["options"]["baseURL"] == f"https://{MARK}@host.example/v1"
    assert provider["options"]["unheardOf"] == MARK
    assert provider["name"] == "Other"


async def test_no_error_repeats_a_secret_of_its_arguments(vault: Vault) -> None:
    secret = "given-4711-secret"
    for operation_id, arguments in (
        ("auth.set", {"providerID": "x", "body": {"type": "api", "key": [secret]}}),
        ("auth.set", {"providerID": "x", "body": {"type": "api", "key": secret, "metadata": secret}}),
        ("config.update", {"provider": {"p": {"options": {"apiKey": secret, "timeout": secret}, "models": 5}}}),
        ("global.config.update", {"provider": {"p": {"options": {"apiKey": [secret]}, "models": secret}}}),
        ("mcp.add", {"name": "x", "config": {"type": "local", "command": ["true"], "environment": {"A": [secret]}}}),
        (
            "mcp.add",
            {"name": "x", "config": {"type": "remote", "url": "http://127.0.0.1:9", "headers": {"A": secret}}},
        ),
        ("mcp.auth.callback", {"name": "nosuchserver", "code": secret}),
        ("v2.integration.connect.key", {"integrationID": "x", "key": secret}),
        ("pty.create", {"command": "/no/such/command", "env": {"A": secret}}),
    ):
        assert secret not in await vault.ask(operation_id, **arguments), operation_id
    assert secret not in vault.launch.printed()


async def test_a_key_that_is_set_is_set(vault: Vault) -> None:
    key = "stored-4711-secret"
    reply = await vault.ask("auth.set", providerID="stored", body={"type": "api", "key": key})
    stored = json.loads((vault.folder / "data" / "opencode" / "auth.json").read_text(encoding="utf-8"))
    assert stored["stored"]["key"] == key
    assert key not in reply


async def test_the_bridges_own_password_is_hidden_where_a_terminal_prints_it(vault: Vault) -> None:
    made = data_of(await vault.bridge.call("opencode_call_operation", operation="pty.create", arguments={}))["reply"]
    command = "echo the-$OPENCODE_SERVER_PASSWORD-it-is\r"
    reply = await vault.ask("pty.connect", ptyID=made["id"], input=command, wait_for="it-is\n")
    assert "the-" in reply
    assert vault.server.password not in reply


async def test_stderr_holds_none(vault: Vault) -> None:
    printed = vault.launch.printed()
    assert "DEBUG" in printed
    assert not [secret for secret in [*KNOWN, vault.server.password] if secret in printed]
