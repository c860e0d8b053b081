"""Host of the demo: it delegates a task, follows the run, answers requests, and shows the outcome."""

from collections.abc import Mapping
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent
from screen import Screen
from stage import Stage, set_up

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.launch import COMMAND
from tests.scripted_model.script import spoken

PATIENCE = 120
"""Longest wait of one call, in seconds; a longer run takes several calls."""
NAMED = 3
"""Tools that are shown by name."""
ID_SHOWN = 8
FENCE = "```"
PATCH = ("`", "@", "+", "-", " ")
"""Beginnings of the lines that name a changed file or belong to its patch."""
Report = Mapping[str, Any]


class Refused(Exception):
    """A tool call failed; the text is the bridge's error."""


def play(model: str, generation: Generation = 1) -> int:
    """Run the demo and return the exit code.

    Args:
        model: As ``provider/model``; empty for the scripted one.
        generation: Generation of OpenCode that the scripted model is used with.
    """
    screen = Screen()
    with set_up(model, generation) as stage:
        return anyio.run(tell, screen, stage)


async def tell(screen: Screen, stage: Stage) -> int:
    """Start the bridge, delegate the task, answer OpenCode's requests, and show the outcome."""
    launch = stage.bridge
    command = StdioServerParameters(
        command=str(COMMAND), args=list(launch.arguments), env=dict(launch.environment), cwd=stage.project
    )
    screen.heading("A host starts opencode-mcp and looks at its tools.")
    with launch.log.open("w", encoding="utf-8") as log:
        async with Client(stdio_client(command, errlog=log)) as client:
            host = Host(client, screen)
            await host.introduce()
            screen.heading("It delegates a task. OpenCode starts, and works while the host watches.")
            try:
                report = await host.run(stage.prompt)
                screen.heading("Result")
                screen.say("✓" if report["status"] == "completed" else "✗", _summary(report), "bold")
                screen.say("│", report["text"] or report.get("error", ""))
                await host.show_changes(report)
            except Refused as refusal:
                screen.say("✗", str(refusal), "red")
                return 1
    return 0 if report["status"] == "completed" else 1


class Host:
    """Calls tools and shows their results.

    Args:
        client: Connected to the bridge.
        screen: Output.
    """

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen

    async def introduce(self) -> None:
        """Show the protocol version and the tools."""
        names = [tool.name for tool in (await self._client.list_tools()).tools]
        first = ", ".join(names[:NAMED])
        self._screen.say("│", f"MCP {self._client.protocol_version}, {len(names)} tools: {first}, ...", "dim")

    async def run(self, prompt: str) -> Report:
        """Delegate a task and follow it until it is over."""
        report = await self._follow("opencode_run", prompt=prompt)
        while report["status"] in {"needs_input", "running"}:
            report = await (self._answer(report) if report["pending"] else self._wait(report))
        return report

    async def _wait(self, report: Report) -> Report:
        return await self._follow("opencode_wait", session_id=report["session_id"])

    async def _answer(self, report: Report) -> Report:
        """Answer the first open request, as a person would who agrees to everything."""
        request = report["pending"][0]
        chosen = {"request_id": request["request_id"], "session_id": request["session_id"]}
        if request["kind"] == "permission":
            self._screen.say("?", f"OpenCode asks for permission: {request['asks'].splitlines()[0]}", "yellow")
            return await self._follow("opencode_reply_permission", reply="once", **chosen)
        self._screen.say("?", f"OpenCode asks: {_asked(request['questions'])}", "yellow")
        labels = [[item["options"][0]["label"]] for item in request["questions"]]
        return await self._follow("opencode_reply_question", answers=labels, **chosen)

    async def show_changes(self, report: Report) -> None:
        """Show the files that a run changed."""
        result = await self._call("opencode_diff", session_id=report["session_id"], message_id=report["message_id"])
        lines = _text(result).splitlines()
        self._screen.diff(line for line in lines if line.startswith(PATCH) and not line.startswith(FENCE))

    async def _follow(self, tool: str, **arguments: object) -> Report:
        """Call a tool that reports a run. A long answer is only in the text of the result."""
        result = await self._call(tool, **arguments, wait_seconds=PATIENCE)
        return {"text": _text(result), **(result.structured_content or {})}

    async def _call(self, tool: str, **arguments: object) -> CallToolResult:
        """Call a tool, with live progress.

        Raises:
            Refused: The call failed.
        """
        self._screen.say("▶", f"{tool}({_shown(arguments)})", "cyan")
        result = await self._client.call_tool(tool, arguments, progress_callback=self._watch)
        if result.is_error:
            raise Refused(_text(result))
        return result

    async def _watch(self, progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG002
        self._screen.say("│", message or "", "dim")


def _text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def _shown(arguments: Mapping[str, object]) -> str:
    """Return the arguments for display, with short ids."""
    texts = {name: f"{str(value)[:ID_SHOWN]}…" if name.endswith("_id") else value for name, value in arguments.items()}
    texts.pop("wait_seconds", None)
    if "prompt" in texts:
        texts["prompt"] = spoken(str(texts["prompt"]))
    return ", ".join(f"{name}={value!r}" for name, value in texts.items())


def _asked(questions: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{item['question']} ({' / '.join(option['label'] for option in item['options'])})" for item in questions
    )


def _summary(report: Report) -> str:
    files = [f"{file['path']} +{file['added']} -{file['removed']}" for file in report.get("files", [])]
    facts = [report["status"], report.get("model", ""), f"{report.get('seconds', 0):.1f} s", *files]
    return " · ".join(fact for fact in facts if fact)
