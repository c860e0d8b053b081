"""What the demo shows: a host that hands over a task, watches, answers, and looks at the outcome."""

from collections.abc import Mapping
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent
from screen import Screen
from stage import Stage, set_up

from tests.harness.launch import COMMAND
from tests.scripted_model.script import spoken

PATIENCE = 120
"""Seconds that one call may wait; a run that takes longer is waited for again."""
NAMED = 3
"""Tools that are shown by name."""
ID_SHOWN = 8
FENCE = "```"
PATCH = ("`", "@", "+", "-", " ")
"""What the lines begin with that name a changed file, or belong to its patch."""
Report = Mapping[str, Any]


class Refused(Exception):
    """A tool call failed; the text is what the bridge said."""


def play(model: str) -> int:
    """Show the whole story and give the exit code.

    Args:
        model: As ``provider/model``; empty: the scripted one.
    """
    screen = Screen()
    with set_up(model) as stage:
        return anyio.run(tell, screen, stage)


async def tell(screen: Screen, stage: Stage) -> int:
    """Start the bridge, hand it the task, answer what OpenCode asks, and show the outcome."""
    launch = stage.bridge
    command = StdioServerParameters(
        command=str(COMMAND), args=list(launch.arguments), env=dict(launch.environment), cwd=stage.project
    )
    screen.heading("A host starts opencode-mcp and looks at its tools.")
    with launch.log.open("w", encoding="utf-8") as log:
        async with Client(stdio_client(command, errlog=log)) as client:
            host = Host(client, screen)
            await host.introduce()
            screen.heading("It hands over a task. OpenCode starts, and works while the host watches.")
            try:
                report = await host.run(stage.prompt)
                screen.heading("What came of it")
                screen.say("✓" if report["status"] == "completed" else "✗", _summary(report), "bold")
                screen.say("│", report["text"] or report.get("error", ""))
                await host.show_changes(report)
            except Refused as refusal:
                screen.say("✗", str(refusal), "red")
                return 1
    return 0 if report["status"] == "completed" else 1


class Host:
    """Calls tools and shows what they tell.

    Args:
        client: Connected to the bridge.
        screen: Where it is shown.
    """

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen

    async def introduce(self) -> None:
        """Show whom it talks to, and the tools."""
        names = [tool.name for tool in (await self._client.list_tools()).tools]
        first = ", ".join(names[:NAMED])
        self._screen.say("│", f"MCP {self._client.protocol_version}, {len(names)} tools: {first}, ...", "dim")

    async def run(self, prompt: str) -> Report:
        """Hand over a task and stay with it until it is over."""
        report = await self._follow("opencode_run", prompt=prompt)
        while report["status"] in {"needs_input", "running"}:
            report = await (self._answer(report) if report["pending"] else self._wait(report))
        return report

    async def _wait(self, report: Report) -> Report:
        return await self._follow("opencode_wait", session_id=report["session_id"])

    async def _answer(self, report: Report) -> Report:
        """Answer the first thing that OpenCode asks, as somebody would who agrees to all."""
        request = report["pending"][0]
        chosen = {"request_id": request["request_id"], "session_id": request["session_id"]}
        if request["kind"] == "permission":
            self._screen.say("?", f"OpenCode asks for leave: {request['asks'].splitlines()[0]}", "yellow")
            return await self._follow("opencode_reply_permission", reply="once", **chosen)
        self._screen.say("?", f"OpenCode asks: {_asked(request['questions'])}", "yellow")
        labels = [[item["options"][0]["label"]] for item in request["questions"]]
        return await self._follow("opencode_reply_question", answers=labels, **chosen)

    async def show_changes(self, report: Report) -> None:
        """Show what a run changed in files."""
        result = await self._call("opencode_diff", session_id=report["session_id"], message_id=report["message_id"])
        lines = _text(result).splitlines()
        self._screen.diff(line for line in lines if line.startswith(PATCH) and not line.startswith(FENCE))

    async def _follow(self, tool: str, **arguments: object) -> Report:
        """Call a tool that reports a run; a long answer stands in the result's text alone."""
        result = await self._call(tool, **arguments, wait_seconds=PATIENCE)
        return {"text": _text(result), **(result.structured_content or {})}

    async def _call(self, tool: str, **arguments: object) -> CallToolResult:
        """Call a tool, with live progress.

        Raises:
            Refused: The bridge says what is wrong.
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
    """The arguments, ids cut short, for somebody who watches."""
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
