"""The model fails in all the ways that models fail: the run's report says how, in the provider's own words."""

import pytest

from tests.integration.host import Host
from tests.scripted_model.script import Action, Step, bash, cut, failure, finish, reasoning, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

SOON = {"retry-after-ms": "50"}


async def test_a_refused_key_fails_the_run(host: Host) -> None:
    report = await host.run(failure(401, "Invalid API key"))
    assert report["status"] == "failed"
    assert "Invalid API key" in report["error"]
    assert "HTTP 401 from the model" in report["error"]
    assert report["session_id"] in report["next"]


async def test_a_request_that_the_model_does_not_take_fails_the_run(host: Host) -> None:
    report = await host.run(failure(400, "No such tool"))
    assert (report["status"], "No such tool" in report["error"]) == ("failed", True)


KEY = "sk-proj-abcdefghijklmnopqrstuvwx1234567890"
REFUSALS = [
    (401, f"Incorrect API key provided: {KEY}. You can find your key on the web.", "invalid_api_key"),
    (400, "The parameter temperature is not supported with this model.", "unsupported_parameter"),
    (404, "The model does not exist", "model_not_found"),
]


@pytest.mark.parametrize(("status", "message", "code"), REFUSALS, ids=[code for _, _, code in REFUSALS])
async def test_a_refusal_of_the_provider_is_one_sentence_with_its_status_once_and_without_secrets(
    host: Host, status: int, message: str, code: str
) -> None:
    # A report quotes the beginning of the prompt, which must not reach the script.
    prompt = script(failure(status, message, code=code), say="Do as the script says. " * 20)
    report = await host.data("opencode_run", prompt=prompt)
    output = await host.text("opencode_wait", session_id=report["session_id"])
    for error in (report["error"], output):
        assert message.partition("sk-")[0] in error
        assert error.count(f"HTTP {status}") == 1
        assert error.count(message[-10:]) == 1
        assert '{"' not in error
        assert KEY not in error
    assert f"HTTP {status} from the model" in report["error"]


async def test_a_failed_run_can_be_read_again_and_its_session_goes_on(host: Host) -> None:
    report = await host.run(failure(401, "Invalid API key"))
    again = await host.wait(report["session_id"])
    assert (again["status"], again["error"]) == ("failed", report["error"])
    assert (await host.run(text("Better."), session_id=report["session_id"]))["text"] == "Better."


async def test_a_limit_is_waited_out(host: Host) -> None:
    report = await host.run(step(failure(429, "Slow down", headers=SOON, times=2), text("Now it works.")))
    assert (report["status"], report["text"]) == ("completed", "Now it works.")
    assert host.has_progress("Slow down")
    assert not host.has_progress('{"error"')
    assert host.has_progress("(attempt 1)") or host.has_progress("(attempt 2)")


@pytest.mark.either_era
async def test_a_failure_that_stays_is_reported_while_it_is_retried_and_can_be_aborted(host: Host) -> None:
    report = await host.run(failure(500, "The model is down", headers={"retry-after": "600"}), wait_seconds=3)
    assert report["status"] == "running"
    assert "The model is down" in report["activity"]
    assert "(attempt 1)" in report["activity"]
    looked = await host.wait(report["session_id"], wait_seconds=0)
    assert looked["status"] == "running"
    aborted = await host.data("opencode_abort", session_id=report["session_id"])
    assert aborted["status"] == "aborted"


async def test_a_stream_that_is_cut_is_taken_up_again(host: Host) -> None:
    report = await host.run(step(text("Half of"), cut(times=1), text(" the answer")))
    assert report["status"] == "completed"
    assert report["text"].endswith("Half of the answer")


async def test_an_answer_that_was_cut_short_by_its_length_is_an_answer(host: Host) -> None:
    report = await host.run(step(text("Cut sho"), finish("length")))
    assert (report["status"], report["text"]) == ("completed", "Cut sho")
    assert report["shortfall"] == "The answer was cut at the model's token limit."
    assert f'opencode_run(session_id="{report["session_id"]}"' in report["next"]
    again = await host.wait(report["session_id"])
    assert again["shortfall"] == report["shortfall"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([step(reasoning("hm"), finish("length"))], "no answer: it was cut at the model's token limit"),
        ([step(finish("stop"))], "no answer."),
        ([bash("true"), step(finish("stop"))], "no answer."),
        ([step(text("I look."), bash("true")), step(finish("stop"))], "no answer. The text is what it said before."),
    ],
    ids=["only reasoning", "nothing", "nothing after a tool", "words before a tool"],
)
async def test_a_run_that_ends_without_a_whole_answer_says_so(
    host: Host, steps: list[Action | Step], said: str
) -> None:
    output = await host.text("opencode_run", prompt=script(*steps))
    assert output.startswith("completed")
    assert said in output
    suggestion = "Ask for the rest, or again" if "was cut" in said else "Ask again with opencode_run(session_id="
    assert f"Next: {suggestion}" in output
