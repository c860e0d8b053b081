"""A form with typed fields, which an MCP server of OpenCode 2 opens in a run, reaches the person or the agent."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from mcp.client.context import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from tests.harness.bridges.bridge import Bridge, Era, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.opencode2.asking import ASKS_A_NAME, calling, eliciting_project, servers_connected
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.scripted_model.script import script, step, text, tool

if TYPE_CHECKING:
    from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

PAGE = "https://example.com/login?state=1"
OPENS_A_PAGE = {"mode": "url", "message": "Log in first.", "url": PAGE, "elicitationId": "e1"}
NONE: list[str] = []
ASK = script(step(tool("asker_ask")), text("Done."))


@pytest.fixture(scope="module")
async def project(tmp_path_factory: pytest.TempPathFactory, opencode2: OpenCode2) -> Path:
    folder = eliciting_project(tmp_path_factory.mktemp("typed"), asker=ASKS_A_NAME, opener=OPENS_A_PAGE)
    async with calling(opencode2) as client:
        await servers_connected(client, str(folder))
    return folder


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode2: OpenCode2, project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, cast("OpenCode", opencode2), project)


class Asked:
    """A person who gives one answer to every elicitation, and remembers them."""

    def __init__(self, answer: ElicitResult) -> None:
        self._answer = answer
        self.forms: list[ElicitRequestParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answer a form."""
        del context
        self.forms.append(params)
        return self._answer


@pytest.fixture
async def unattended(launch: Launch, era: Era) -> AsyncGenerator[Bridge]:
    async with open_bridge(launch, era=era) as bridge:
        yield bridge


async def tool_result(model: ScriptedModel, session_id: str) -> object:
    """Return what the MCP server got as the answer."""
    return json.loads((await model.requests(session_id))[-1]["results"][0])


async def test_a_person_fills_fields_of_the_types_that_the_server_asks_for(
    launch: Launch, era: Era, scripted_model: ScriptedModel
) -> None:
    person = Asked(ElicitResult(action="accept", content={"answer_1": "Ada", "answer_2": 36}))
    async with open_bridge(launch, era=era, elicit=person) as bridge:
        report = data_of(await bridge.call("opencode_run", prompt=ASK))
    assert (report["status"], report["text"]) == ("completed", "Done.")
    (form,) = person.forms
    assert isinstance(form, ElicitRequestFormParams)
    assert form.message.startswith("OpenCode asks: asker is requesting input\n    Who are you?")
    fields = form.requested_schema["properties"]
    assert [(field["type"], field.get("minimum")) for field in fields.values()] == [("string", None), ("integer", 1)]
    assert form.requested_schema["required"] == ["answer_1"]
    got = await tool_result(scripted_model, report["session_id"])
    assert got == {"action": "accept", "content": {"name": "Ada", "age": 36}}


async def test_a_page_is_opened_by_a_host_that_can(launch: Launch, era: Era, scripted_model: ScriptedModel) -> None:
    person = Asked(ElicitResult(action="accept"))
    async with open_bridge(launch, era=era, elicit=person) as bridge:
        prompt = script(step(tool("opener_ask")), text("Logged in."))
        report = data_of(await bridge.call("opencode_run", prompt=prompt))
    assert (report["status"], report["text"]) == ("completed", "Logged in.")
    (form,) = person.forms
    assert isinstance(form, ElicitRequestURLParams)
    assert form.url == PAGE
    assert await tool_result(scripted_model, report["session_id"]) == {"action": "accept"}


@pytest.mark.either_era
async def test_an_agent_answers_by_type_and_errors_name_what_a_field_takes(
    unattended: Bridge, scripted_model: ScriptedModel
) -> None:
    report = data_of(await unattended.call("opencode_run", prompt=ASK))
    assert report["status"] == "needs_input"
    (request,) = report["pending"]
    assert [item.get("takes") for item in request["questions"]] == ["a text", "a whole number of at least 1"]
    answer = {"request_id": request["request_id"], "session_id": request["session_id"]}
    wrong = await unattended.call("opencode_reply_question", **answer, answers=[["Ada"], ["many"]])
    assert wrong.is_error
    assert "'many' is not an answer to 'age': it takes a whole number of at least 1." in text_of(wrong)
    for unfit in ([NONE, NONE], [["Ada"]]):
        assert (await unattended.call("opencode_reply_question", **answer, answers=unfit)).is_error
    ended = data_of(await unattended.call("opencode_reply_question", **answer, answers=[["Ada"], NONE]))
    assert (ended["status"], ended["text"]) == ("completed", "Done.")
    got = await tool_result(scripted_model, report["session_id"])
    assert got == {"action": "accept", "content": {"name": "Ada"}}
