"""Operations of the terminal interface on a real one: ``opencode attach`` in a pseudo-terminal."""

import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.processes.screen import Screen, on_a_screen
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, binary
from tests.harness.waiting import eventually

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of this kind are POSIX's"),
]

ESCAPE = "\x1b"
"""Closes what a test opened."""
READY = "Ask anything"
"""Text in the empty prompt of the TUI."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A TUI on its screen, and a bridge that controls it."""

    bridge: Bridge
    screen: Screen

    async def call(self, operation_id: str, /, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
        """Call an operation; its reply."""
        result = await self.bridge.call("opencode_call_operation", operation=operation_id, arguments=arguments)
        return data_of(result)["reply"]

    async def shows_after(self, operation_id: str, text: str, /, **arguments: object) -> None:
        """Call an operation, and wait for what it makes the TUI show."""
        assert text not in self.screen.text
        assert await self.call(operation_id, **arguments) is True
        await self.screen.shows(text)

    async def opens(self, operation_id: str, text: str) -> None:
        """Call an operation that opens a dialog, and close that again."""
        await self.shows_after(operation_id, text)
        self.screen.press(ESCAPE)
        await self.screen.hides(text)


@pytest.fixture(scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    opencode_environment: dict[str, str],
) -> AsyncGenerator[Stage]:
    folder = tmp_path_factory.mktemp("tui")
    project = folder / "project"
    project.mkdir()
    launch = attaching(folder, scripted_model, opencode_server, make_project(project))
    command = [str(binary()), "attach", opencode_server.url, "--dir", str(project)]
    environment = {**opencode_environment, "OPENCODE_SERVER_PASSWORD": opencode_server.password}
    with on_a_screen(command, environment, project) as screen:
        async with open_bridge(launch.with_flags("--allow", "execute")) as bridge:
            await screen.shows(READY, seconds=60)
            shown = Stage(bridge, screen)
            await _await_listening(shown)
            yield shown


async def _await_listening(stage: Stage) -> None:
    """The TUI draws itself before it receives events: send it toasts until it shows one."""

    async def look() -> bool:
        await stage.call("tui.showToast", message="Are you there", variant="info")
        return "Are you there" in stage.screen.text

    await eventually(look, seconds=60)


async def test_a_toast_is_shown(stage: Stage) -> None:
    await stage.shows_after("tui.showToast", "Toasted", message="Toasted", variant="success")


async def test_a_published_event_is_shown(stage: Stage) -> None:
    body = {"type": "tui.toast.show", "properties": {"message": "Published", "variant": "info"}}
    await stage.shows_after("tui.publish", "Published", body=body)


async def test_a_prompt_is_typed_and_cleared(stage: Stage) -> None:
    await stage.shows_after("tui.appendPrompt", "typed by the test", text="typed by the test")
    assert await stage.call("tui.clearPrompt") is True
    await stage.screen.hides("typed by the test")


async def test_a_command_is_executed(stage: Stage) -> None:
    await stage.shows_after("tui.executeCommand", "Plan", command="agent_cycle")
    await stage.shows_after("tui.executeCommand", "Build", command="agent_cycle")


async def test_the_help_is_opened(stage: Stage) -> None:
    await stage.opens("tui.openHelp", "Help")


async def test_the_models_are_opened(stage: Stage) -> None:
    await stage.opens("tui.openModels", "Select model")


async def test_the_sessions_are_opened(stage: Stage) -> None:
    await stage.opens("tui.openSessions", "Sessions")


async def test_opencode_opens_the_sessions_where_themes_are_meant(stage: Stage) -> None:
    await stage.opens("tui.openThemes", "Sessions")


async def test_a_typed_prompt_is_submitted(stage: Stage) -> None:
    await stage.shows_after("tui.appendPrompt", "Say something", text="Say something")
    await stage.shows_after("tui.submitPrompt", "You said: Say something")


async def test_a_session_is_selected(stage: Stage) -> None:
    made = await stage.call("session.create")
    parts = [{"type": "text", "text": "Written elsewhere"}]
    await stage.call("session.prompt", sessionID=made["id"], parts=parts)
    await stage.shows_after("tui.selectSession", "Written elsewhere", sessionID=made["id"])
