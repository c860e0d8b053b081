"""A call makes one report, at its end, however often policy and a person answer before; counted, not timed."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.runs import run_life as runs
from opencode_mcp.runs.outcome.run_report import RunReport
from opencode_mcp.server.app import build_server
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import MODES, Era, data_of
from tests.harness.differences import PROMPT, SUBAGENTS_READ
from tests.harness.servers.opencode import OpenCode
from tests.integration.person import Person, filled
from tests.scripted_model.script import bash, script, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras, pytest.mark.both_generations]

BY_POLICY = ("echo free one", "echo free two")
BY_PERSON = ("touch one", "touch two")


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The states of the reports that were made, in order."""
    made: list[str] = []
    report_run = runs.report_run

    async def counted(*arguments: object) -> RunReport:
        report = await report_run(*arguments)  # pyright: ignore[reportArgumentType] - passes all on
        made.append(report.status)
        return report

    monkeypatch.setattr(runs, "report_run", counted)
    return made


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests to OpenCode, in order; those for the subagents of a session say so."""
    sent: list[str] = []
    send = Transport.send

    async def counted(self: Transport, request: HttpRequest, **options: Any) -> Reply:  # noqa: ANN401 - passes all on
        of_parent = "?parentID" if "parentID" in request.query else ""
        sent.append(f"{request.method} {request.path}{of_parent}")
        return await send(self, request, **options)

    monkeypatch.setattr(Transport, "send", counted)
    return sent


async def test_answers_of_policy_and_person_cost_no_report_of_their_own(
    era: Era,
    opencode_generation: Generation,
    opencode_server: OpenCode,
    asking: Path,
    tmp_path: Path,
    reports: list[str],
    requests: list[str],
) -> None:
    settings = Settings(
        url=opencode_server.url,
        password=opencode_server.password,
        directories=(str(asking),),
        permission_rules={"bash": {"*": "human", "echo free*": "allow"}},
        state_directory=tmp_path / "bridge",
    )
    person = Person(*[filled(decision="once") for _ in BY_PERSON])
    steps = [bash(command) for command in (*BY_POLICY, *BY_PERSON)]
    async with Client(build_server(settings), mode=MODES[era], elicitation_callback=person) as client:
        report = data_of(await client.call_tool("opencode_run", {"prompt": script(*steps, text("Done."))}))
    assert (report["status"], report["text"]) == ("completed", "Done.")
    assert [decision["patterns"] for decision in report["decided"]] == [[command] for command in BY_POLICY]
    assert len(person.forms) == len(BY_PERSON)
    assert reports == ["completed"]
    # A wait reads ahead what its report needs of the session; in the era of 2026, each form begins a new wait.
    waits = 1 if era == "2025" else 1 + len(BY_PERSON)
    assert sum(request.endswith(SUBAGENTS_READ[opencode_generation]) for request in requests) <= waits + 1
    assert sum(request.endswith(PROMPT[opencode_generation]) for request in requests) == 1
    # The wait and the task that answers while nobody waits see the same permissions; one of them replies.
    assert sum(request.endswith("/reply") for request in requests) == len(steps)
