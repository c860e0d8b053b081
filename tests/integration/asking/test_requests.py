"""Requests of OpenCode during a run reach the caller, and the answer reaches OpenCode: without forms."""

from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Era, open_bridge
from tests.harness.differences import END_BY_REJECTION, tool_name
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import backend
from tests.integration.host import Host
from tests.scripted_model.script import bash, hold, question, questions, script, step, task, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

COLOUR = question("Which colour?", "Red", "Blue")
SIZES = {
    "question": "Which sizes?",
    "header": "Sizes",
    "options": [{"label": "Small", "description": "S"}, {"label": "Large", "description": "L"}],
    "multiple": True,
}
ANSWERED = 'User has answered your questions: "Which colour?"="{}"'


def the_request(report: dict[str, Any]) -> dict[str, Any]:
    """The one thing that a report says OpenCode waits for."""
    assert report["status"] == "needs_input", report
    (request,) = report["pending"]
    return request


async def last_result(model: ScriptedModel, session_id: str) -> str:
    """Return the result of the last tool that the model called."""
    return (await model.requests(session_id))[-1]["results"][-1]


# Questions


@pytest.mark.both_generations
@pytest.mark.either_era
async def test_a_question_ends_the_wait_and_says_how_to_answer(host: Host) -> None:
    report = await host.run(COLOUR, text("Thanks."))
    request = the_request(report)
    assert (request["kind"], request["asks"]) == ("question", "Which colour?")
    assert [option["label"] for option in request["questions"][0]["options"]] == ["Red", "Blue"]
    assert f'opencode_reply_question(request_id="{request["request_id"]}"' in report["next"]
    assert the_request(await host.wait(report["session_id"], wait_seconds=0)) == request


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("answer", "received"), [("Blue", "Blue"), ("blue", "Blue"), ("Rather green", "Rather green")], ids=str
)
async def test_an_answer_by_label_in_any_case_or_in_own_words_reaches_the_model(
    host: Host, scripted_model: ScriptedModel, answer: str, received: str
) -> None:
    request = the_request(await host.run(COLOUR, text("Thanks.")))
    report = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[[answer]])
    assert (report["status"], report["text"]) == ("completed", "Thanks.")
    assert ANSWERED.format(received) in await last_result(scripted_model, report["session_id"])


@pytest.mark.both_generations
async def test_several_questions_are_answered_at_once(host: Host, scripted_model: ScriptedModel) -> None:
    single = {"question": "Which colour?", "header": "Colour", "options": [{"label": "Red", "description": "R"}]}
    request = the_request(await host.run(questions(single, SIZES), text("Thanks.")))
    report = await host.data(
        "opencode_reply_question", request_id=request["request_id"], answers=[["red"], ["small", "large"]]
    )
    assert report["text"] == "Thanks."
    result = await last_result(scripted_model, report["session_id"])
    assert '"Which sizes?"="Small, Large"' in result


async def test_answers_that_do_not_fit_are_refused_with_the_labels_and_the_question_stays_open(host: Host) -> None:
    request = the_request(await host.run(COLOUR, text("Thanks.")))
    for answers in ([["Red"], ["Blue"]], [["Red", "Blue"]]):
        error = await host.error("opencode_reply_question", request_id=request["request_id"], answers=answers)
        assert "'Red', 'Blue'" in error
    report = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[["Red"]])
    assert report["text"] == "Thanks."


async def test_neither_answers_nor_a_rejection_is_refused(host: Host) -> None:
    error = await host.error("opencode_reply_question", request_id="que_x")
    assert 'answers=[["Yes"]]' in error
    error = await host.error("opencode_reply_question", request_id="que_x", answers=[["Yes"]], reject=True)
    assert "either answers or reject" in error


@pytest.mark.both_generations
async def test_a_rejected_question_ends_the_run(host: Host, opencode_generation: Generation) -> None:
    request = the_request(await host.run(COLOUR, text("Never said.")))
    report = await host.data("opencode_reply_question", request_id=request["request_id"], reject=True)
    assert report["status"] == END_BY_REJECTION[opencode_generation]
    assert "Never said." not in report["text"]


@pytest.mark.both_generations
async def test_a_question_that_was_answered_elsewhere_is_reported_as_closed_and_the_run_reported(
    host: Host, opencode_server: OpenCode, workplace: Path
) -> None:
    first = await host.run(COLOUR, text("Thanks."))
    request = the_request(first)
    async with backend(opencode_server, workplace) as opencode:
        await opencode.answer(await opencode.asked(first["session_id"], "question"), "Red")
    await host.wait(first["session_id"])
    for _ in range(2):
        report = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[["Red"]])
        assert "not open any more" in report["note"]
        assert report["text"] == "Thanks."


async def test_a_request_that_there_never_was_is_not_found(host: Host) -> None:
    error = await host.error("opencode_reply_question", request_id="que_nosuch", answers=[["Red"]])
    assert "'que_nosuch'" in error
    assert "opencode_wait" in error


# Permissions


@pytest.mark.both_generations
@pytest.mark.either_era
async def test_a_command_waits_for_permission_and_runs_once_it_is_given(
    host: Host, asking: Path, case: str, opencode_generation: Generation
) -> None:
    made = f"once-{case}.txt"
    report = await host.run(bash(f"echo x > {made}"), text("Ran."), directory=str(asking))
    request = the_request(report)
    assert (request["kind"], request["permission"]) == ("permission", tool_name("bash", opencode_generation))
    assert f"echo x > {made}" in request["asks"]
    assert "opencode_reply_permission" in report["next"]
    assert not (asking / made).exists()
    report = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert (asking / made).exists()


async def test_once_is_only_for_this_time(host: Host, asking: Path) -> None:
    request = the_request(await host.run(bash("pwd"), bash("pwd"), text("Ran twice."), directory=str(asking)))
    second = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    request = the_request(second)
    report = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert report["text"] == "Ran twice."


async def test_always_is_for_what_matches_later_too(host: Host, asking: Path, era: Era) -> None:
    # What always allows holds for as long as OpenCode runs, so each era has a command of its own.
    command = {"2025": "uname", "2026": "whoami"}[era]
    async with open_bridge(host.bridge.launch.with_flags("--permissions", "agent"), era=era) as bridge:
        trusted = Host(bridge)
        steps = [bash(command), bash(f"{command} --help"), text("Ran.")]
        request = the_request(await trusted.run(*steps, directory=str(asking)))
        assert request["always"] == [f"{command} *"]
        report = await trusted.data("opencode_reply_permission", request_id=request["request_id"], reply="always")
    assert (report["status"], report["text"]) == ("completed", "Ran.")


@pytest.mark.both_generations
async def test_a_refusal_with_a_message_is_in_the_transcript_and_the_model_goes_on(
    host: Host, asking: Path, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    request = the_request(await host.run(bash("rm -rf build"), text("Then not."), directory=str(asking)))
    report = await host.data(
        "opencode_reply_permission", request_id=request["request_id"], reply="reject", message="Use make clean."
    )
    assert (report["status"], report["text"]) == ("completed", "Then not.")
    (refused,) = report["decided"]
    assert (refused["reply"], refused["by"], refused["message"]) == ("reject", "agent", "Use make clean.")
    if opencode_generation == 1:  # The shell tool of OpenCode 2 hides it from the model.
        assert "Use make clean." in await last_result(scripted_model, report["session_id"])
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert seen["transcript"].count("Use make clean.") == 1


@pytest.mark.both_generations
@pytest.mark.either_era
async def test_a_refusal_without_a_message_ends_the_run(
    host: Host, asking: Path, opencode_generation: Generation
) -> None:
    request = the_request(await host.run(bash("rm -rf build"), text("Never said."), directory=str(asking)))
    report = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="reject")
    assert report["status"] == END_BY_REJECTION[opencode_generation]
    assert "Never said." not in report["text"]


async def test_a_message_goes_only_with_a_refusal(host: Host) -> None:
    error = await host.error("opencode_reply_permission", request_id="per_x", reply="once", message="Go on.")
    assert "only with reject" in error


@pytest.mark.both_generations
async def test_a_subagents_request_is_relayed_and_answered_through_its_parents_run(
    host: Host, asking: Path, case: str
) -> None:
    made = f"child-{case}.txt"
    report = await host.run(
        task(script(bash(f"echo x > {made}"), text("The child ran."))), text("All ran."), directory=str(asking)
    )
    request = the_request(report)
    assert request["subagent"] is True
    assert request["session_id"] in report["children"]
    assert request["session_id"] != report["session_id"]
    report = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert (report["status"], report["text"]) == ("completed", "All ran.")
    assert (asking / made).exists()


async def test_an_answer_may_name_the_session_that_asks(host: Host, asking: Path) -> None:
    report = await host.run(bash("pwd"), text("Ran."), directory=str(asking))
    request = the_request(report)
    report = await host.data(
        "opencode_reply_permission", request_id=request["request_id"], session_id=request["session_id"], reply="once"
    )
    assert report["text"] == "Ran."


@pytest.mark.either_era
async def test_after_an_answer_the_wait_is_as_long_as_the_caller_wants(host: Host, asking: Path) -> None:
    request = the_request(await host.run(bash("pwd"), bash("pwd"), text("Ran."), directory=str(asking)))
    report = await host.data(
        "opencode_reply_permission", request_id=request["request_id"], reply="once", wait_seconds=0
    )
    assert report["status"] in {"running", "needs_input"}
    request = the_request(await host.wait(report["session_id"]))
    assert (await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once"))["text"]


@pytest.mark.both_generations
async def test_a_run_that_goes_on_after_an_answer_says_that_the_answer_was_given(
    host: Host, asking: Path, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"answered {case}"
    asked = await host.run(bash("pwd"), step(hold(gate), text("Ran.")), directory=str(asking))
    request = the_request(asked)
    report = await host.data(
        "opencode_reply_permission", request_id=request["request_id"], reply="once", wait_seconds=0
    )
    assert (report["status"], report["note"]) == ("running", "OpenCode has the answer.")
    await scripted_model.release(gate)
    assert (await host.wait(asked["session_id"]))["text"] == "Ran."


@pytest.mark.both_generations
async def test_an_aborted_run_leaves_no_request_to_answer(host: Host, asking: Path) -> None:
    first = await host.run(bash("pwd"), text("Never said."), directory=str(asking))
    request = the_request(first)
    assert (await host.data("opencode_abort", session_id=first["session_id"]))["pending"] == []
    report = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert report["status"] == "aborted"
