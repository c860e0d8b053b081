"""What the operations of the terminal interface do to a real one: ``opencode attach`` in a pseudo-terminal."""

import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from tests.harness.bridge import Bridge, data_of, open_bridge
from tests.harness.launch import Launch
from tests.harness.opencode import OpenCode, binary
from tests.harness.screen import Screen, on_a_screen
from tests.harness.waiting import eventually

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of this kind are POSIX's"),
]

READY = "Ask anything"
"""What the empty prompt of the TUI says."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A TUI on its screen, and a bridge that speaks to it."""

    bridge: Bridge
    screen: Screen

    async def call(self, operation_id: str, **arguments: object) -> object:
        """Call an operation; its reply."""
        result = await self.bridge.call("opencode_call_operation", operation=operation_id, arguments=arguments)
        return data_of(result)["reply"]

    async def shows_after(self, operation_id: str, text: str, **arguments: object) -> None:
        """Call an operation, and wait for what it makes the TUI show."""
        mark = self.screen.mark
        assert await self.call(operation_id, **arguments) is True
        await self.screen.shows(text, since=mark)

    async def sessions(self) -> list[dict[str, str]]:
        """The sessions of the project."""
        return data_of(await self.bridge.call("opencode_list_sessions"))["sessions"]


@pytest.fixture
async def stage(
    launch: Launch, opencode_server: OpenCode, opencode_environment: dict[str, str]
) -> AsyncGenerator[Stage]:
    project = launch.arguments[1]
    command = [str(binary()), "attach", opencode_server.url, "--dir", project]
    environment = {**opencode_environment, "OPENCODE_SERVER_PASSWORD": opencode_server.password}
    with on_a_screen(command, environment, launch.log.parent) as screen:
        async with open_bridge(launch.telling("--allow", "execute")) as bridge:
            await screen.shows(READY)
            shown = Stage(bridge, screen)
            await _await_listening(shown)
            yield shown


async def _await_listening(stage: Stage) -> None:
    """The TUI draws itself before it hears events: send it toasts until it shows one."""
    mark = stage.screen.mark

    async def look() -> bool:
        await stage.call("tui.showToast", message="areyouthere", variant="info", duration=100)
        return "areyouthere" in stage.screen.since(mark)

    await eventually(look, seconds=30)


async def test_a_toast_is_shown(stage: Stage) -> None:
    await stage.shows_after("tui.showToast", "Toasted", message="Toasted", variant="success")


async def test_a_published_event_is_shown(stage: Stage) -> None:
    body = {"type": "tui.toast.show", "properties": {"message": "Published", "variant": "info"}}
    await stage.shows_after("tui.publish", "Published", body=body)


async def test_a_prompt_is_typed_and_cleared(stage: Stage) -> None:
    await stage.shows_after("tui.appendPrompt", "typed-by-the-test", text="typed-by-the-test")
    await stage.shows_after("tui.clearPrompt", READY)


async def test_a_typed_prompt_is_submitted(stage: Stage) -> None:
    await stage.shows_after("tui.appendPrompt", "Say-something", text="Say-something")
    await stage.shows_after("tui.submitPrompt", "Done.")
    assert len(await stage.sessions()) == 1


async def test_the_help_is_opened(stage: Stage) -> None:
    await stage.shows_after("tui.openHelp", "Help")


async def test_the_models_are_opened(stage: Stage) -> None:
    await stage.shows_after("tui.openModels", "Select model")


async def test_the_sessions_are_opened(stage: Stage) -> None:
    await stage.shows_after("tui.openSessions", "Sessions")


async def test_opencode_opens_the_sessions_where_themes_are_meant(stage: Stage) -> None:
    await stage.shows_after("tui.openThemes", "Sessions")


async def test_a_command_is_executed(stage: Stage) -> None:
    await stage.shows_after("tui.executeCommand", "Select model", command="model_list")


async def test_a_session_is_selected(stage: Stage) -> None:
    made = await stage.call("session.create", title="Chosen-by-the-test")
    assert isinstance(made, dict)
    await stage.shows_after("tui.selectSession", "Chosen-by-the-test", sessionID=made["id"])
