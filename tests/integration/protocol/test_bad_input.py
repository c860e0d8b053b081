"""Calls that cannot be meant: each is refused before anything runs, with what would be right."""

import sys
from pathlib import Path

import pytest

from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that nobody allowed."""
    (tmp_path / "secret.txt").write_text("hush", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("tool", ["opencode_run", "opencode_wait", "opencode_abort"])
@pytest.mark.parametrize(
    ("session", "said"),
    [("ses_nosuch", "There is no session 'ses_nosuch'."), ("nosuch", "'nosuch' is not a session id. They begin with")],
)
async def test_an_unknown_session(host: Host, tool: str, session: str, said: str) -> None:
    prompt = {"prompt": "x"} if tool == "opencode_run" else {}
    error = await host.error(tool, session_id=session, **prompt)
    assert said in error
    assert "opencode_list_sessions" in error


async def test_no_session_at_all(host: Host) -> None:
    assert "Give session_id, or session_ids for several." in await host.error("opencode_wait")


async def test_one_prompt_of_several_sessions(host: Host) -> None:
    error = await host.error("opencode_wait", session_ids=["ses_a", "ses_b"], message_id="msg_1")
    assert "message_id names one run" in error


async def test_a_session_of_a_directory_that_is_not_allowed(
    host: Host, opencode_server: OpenCode, outside: Path
) -> None:
    async with opencode_server.client(outside) as http:
        session = (await http.post("/session", json={})).json()["id"]
    error = await host.error("opencode_run", prompt="x", session_id=session)
    assert session in error
    assert "outside of what is allowed" in error


async def test_a_session_that_works_elsewhere_than_named(
    host: Host, opencode_server: OpenCode, workplace: Path, asking: Path
) -> None:
    async with opencode_server.client(workplace) as http:
        session = (await http.post("/session", json={})).json()["id"]
    error = await host.error("opencode_run", prompt="x", session_id=session, directory=str(asking))
    assert f"The session works in {workplace}, not in {asking}." in error


async def test_an_unknown_agent(host: Host) -> None:
    error = await host.error("opencode_run", prompt="x", agent="biuld")
    assert "OpenCode has no agent 'biuld'. The agents are build, " in error
    assert "plan" in error


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("scripted/m3", "OpenCode has no model 'scripted/m3'. These would work: scripted/m"),
        ("scirpted/m1", "OpenCode has no model 'scirpted/m1'. These would work: scripted/m1"),
        ("m1", "names no provider. Write provider/model: scripted/m"),
        ("anthropic/claude-sonnet-4-5", "OpenCode has no credentials for the provider 'anthropic'."),
        ("anthropic/claude-sonnet-4-5", "opencode auth login"),
    ],
)
async def test_a_model_that_cannot_be_used(host: Host, model: str, said: str) -> None:
    assert said in await host.error("opencode_run", prompt="x", model=model)


async def test_a_variant_that_the_model_does_not_have(host: Host) -> None:
    error = await host.error("opencode_run", prompt="x", model="scripted/m1", variant="huge")
    assert "has no variant 'huge'. It has " in error


@pytest.mark.parametrize(
    ("directory", "said"),
    [
        ("{workplace}/nosuch", "There is no directory"),
        ("{workplace}/scr", "Near it: src."),
        ("src", "The directory 'src' is relative. Give an absolute path in {workplace}."),
        ("{outside}", "is outside of what is allowed. Allowed: {workplace}, "),
        ("{workplace}/../..", "is outside of what is allowed."),
    ],
)
@pytest.mark.parametrize("tool", ["opencode_run", "opencode_status", "opencode_list_sessions"])
async def test_a_directory_that_may_not_be_worked_in(
    host: Host, workplace: Path, outside: Path, tool: str, directory: str, said: str
) -> None:
    places = {"workplace": workplace, "outside": outside}
    prompt = {"prompt": "x"} if tool == "opencode_run" else {}
    error = await host.error(tool, directory=directory.format(**places), **prompt)
    assert said.format(**places) in error


@pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
async def test_a_link_out_of_what_is_allowed(host: Host, workplace: Path, outside: Path, era: str) -> None:
    link = workplace / f"way-out-{era}"
    link.symlink_to(outside)
    assert "outside of what is allowed" in await host.error("opencode_run", prompt="x", directory=str(link))
    error = await host.error("opencode_run", prompt="x", files=[f"way-out-{era}/secret.txt"])
    assert "outside of what is allowed" in error


@pytest.mark.parametrize("prompt", ["", "  \n\t "])
async def test_an_empty_prompt(host: Host, prompt: str) -> None:
    assert "The prompt is empty. Say what OpenCode should do." in await host.error("opencode_run", prompt=prompt)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("{outside}/secret.txt", "is outside of what is allowed"),
        ("../secret.txt", "is outside of what is allowed"),
        ("src/great.py", "There is no file 'src/great.py' in {workplace}. Near it: greet.py."),
        ("", "names no file"),
    ],
)
async def test_a_file_that_cannot_be_attached(host: Host, workplace: Path, outside: Path, file: str, said: str) -> None:
    places = {"workplace": workplace, "outside": outside}
    error = await host.error("opencode_run", prompt="x", files=["README.md", file.format(**places)])
    assert said.format(**places) in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"wait_seconds": -1}, "`wait_seconds` must be 0 or more; got -1."),
        ({"wait_seconds": 3601}, "`wait_seconds` must be 3600 or less; got 3601."),
        ({"wait_seconds": "soon"}, "`wait_seconds` must be a number"),
        ({"promt": "x"}, "There is no argument `promt`; did you mean `prompt`?"),
        ({"files": "README.md"}, "`files` must be a list"),
        ({"output_schema": "object"}, "`output_schema` must be an object"),
        ({"permissions": "allow"}, "`permissions` must be one of"),
        ({"max_cost": 0}, "`max_cost` must be more than 0; got 0."),
    ],
)
@pytest.mark.both_eras
async def test_an_argument_that_is_not_of_its_kind(host: Host, arguments: dict[str, object], said: str) -> None:
    error = await host.error("opencode_run", prompt="x", **arguments)
    assert said in error
    assert "opencode_run takes prompt, session_id, directory, agent, model," in error


@pytest.mark.both_eras
async def test_a_missing_argument(host: Host) -> None:
    assert "`prompt` is missing." in await host.error("opencode_run")


@pytest.mark.both_eras
async def test_a_tool_that_there_is_not(host: Host) -> None:
    assert "opencode_rnu" in await host.error("opencode_rnu", prompt="x")


async def test_nothing_of_all_that_starts_a_session(host: Host, opencode_server: OpenCode, workplace: Path) -> None:
    async with opencode_server.client(workplace) as http:
        before = len((await http.get("/session")).json())
        await host.error("opencode_run", prompt="x", agent="biuld")
        await host.error("opencode_run", prompt="x", model="scripted/m3")
        await host.error("opencode_run", prompt=" ")
        await host.error("opencode_run", prompt="x", files=["nosuch"])
        assert len((await http.get("/session")).json()) == before
