"""Cases of terminals, events and the terminal interface (TUI); a TUI that answers is in ``test_tui.py``."""

from functools import partial

from tests.integration.operations.cases.case import NO_SESSION, UNKNOWN_SESSION, case
from tests.integration.operations.world import World

UNKNOWN_TERMINAL = {"ptyID": "pty_nosuch"}


async def terminal(world: World) -> str:
    return (await world.call("pty.create", command="/bin/sh", title="Case"))["id"]


@case("pty.create", {"cwd": "/etc"}, "The directory '/etc' is outside of what is allowed")
async def create_terminal(world: World) -> None:
    made = await world.call("pty.create", command="/bin/sh", env={"GREETING": "hello-there"})
    assert made["cwd"] == str(world.project)
    reply = await world.call(
        "pty.connect", ptyID=made["id"], input="echo $GREETING$((40+2))\r", wait_for="hello-there42"
    )
    assert reply["found"] is True


@case("pty.list")
async def list_terminals(world: World) -> None:
    made = await terminal(world)
    assert made in {item["id"] for item in await world.call("pty.list")}


@case("pty.get", UNKNOWN_TERMINAL, "pty_nosuch")
async def get_terminal(world: World) -> None:
    made = await terminal(world)
    assert (await world.call("pty.get", ptyID=made))["title"] == "Case"


@case("pty.update", {"ptyID": "pty_x", "size": {"rows": 0, "cols": 5}}, "`size.rows` must be more than 0")
async def update_terminal(world: World) -> None:
    made = await terminal(world)
    await world.call("pty.update", ptyID=made, title="Renamed", size={"rows": 33, "cols": 77})
    assert (await world.call("pty.get", ptyID=made))["title"] == "Renamed"
    assert (await world.call("pty.connect", ptyID=made, input="stty size\r", wait_for="33 77"))["found"] is True


@case("pty.remove", UNKNOWN_TERMINAL, "pty_nosuch")
async def remove_terminal(world: World) -> None:
    made = await terminal(world)
    assert await world.call("pty.remove", ptyID=made) is True
    assert made not in {item["id"] for item in await world.call("pty.list")}


@case("pty.connect", UNKNOWN_TERMINAL, "There is no terminal 'pty_nosuch'")
async def connect_terminal(world: World) -> None:
    made = await terminal(world)
    resized = await world.call("pty.connect", ptyID=made, rows=20, cols=90, input="stty size\r", wait_for="20 90")
    assert resized["found"] is True
    first = await world.call("pty.connect", ptyID=made, input="echo one$((1+1))\r", wait_for="one2\n")
    await world.call("pty.connect", ptyID=made, input="echo three$((2+2))\r", wait_for="three4\n")
    since = await world.call("pty.connect", ptyID=made, cursor=first["cursor"], wait_for="three4\n")
    assert "three4" in since["output"]
    assert "one2" not in since["output"]
    missed = await world.call("pty.connect", ptyID=made, cursor=-1, wait_for="never*printed", seconds=0.3)
    assert (missed["found"], missed["exited"]) == (False, False)
    ended = await world.call("pty.connect", ptyID=made, input="exit\r", wait_for="nothing comes")
    assert ended["exited"] is True
    assert "There is no terminal" in await world.refusal("pty.connect", ptyID=made)


@case("event.subscribe", {"seconds": -1}, "`seconds` must be 0 or more")
async def events(world: World) -> None:
    event = await world.seen(partial(world.call, "session.create", title="Noticed"), "session.created")
    assert event["properties"]["info"]["title"] == "Noticed"


@case("global.event", {**UNKNOWN_SESSION}, NO_SESSION)
async def all_events(world: World) -> None:
    collected = await world.call("global.event", types=["server.connected"], count=1, seconds=30)
    assert (collected["ended"], [item["payload"]["type"] for item in collected["events"]]) == (
        "count",
        ["server.connected"],
    )


async def assert_event(world: World, operation_id: str, event_type: str, **arguments: object) -> None:
    """An operation of the TUI answers true, and the event comes that a TUI would act on."""
    event = await world.seen(partial(world.call, operation_id, **arguments), event_type)
    assert event["type"] == event_type


@case("tui.appendPrompt", {}, "`text` is missing")
async def append_prompt(world: World) -> None:
    await assert_event(world, "tui.appendPrompt", "tui.prompt.append", text="typed")


@case("tui.clearPrompt")
async def clear_prompt(world: World) -> None:
    await assert_event(world, "tui.clearPrompt", "tui.command.execute")


@case("tui.submitPrompt")
async def submit_prompt(world: World) -> None:
    await assert_event(world, "tui.submitPrompt", "tui.command.execute")


@case("tui.executeCommand", {"command": 5}, "`command` must be a text")
async def execute_command(world: World) -> None:
    await assert_event(world, "tui.executeCommand", "tui.command.execute", command="session_new")


@case("tui.openHelp")
async def open_help(world: World) -> None:
    await assert_event(world, "tui.openHelp", "tui.command.execute")


@case("tui.openModels")
async def open_models(world: World) -> None:
    await assert_event(world, "tui.openModels", "tui.command.execute")


@case("tui.openSessions")
async def open_sessions(world: World) -> None:
    await assert_event(world, "tui.openSessions", "tui.command.execute")


@case("tui.openThemes")
async def open_themes(world: World) -> None:
    await assert_event(world, "tui.openThemes", "tui.command.execute")


@case("tui.showToast", {"message": "x", "variant": "loud"}, "`variant` must be one of info, success, warning, error")
async def show_toast(world: World) -> None:
    await assert_event(world, "tui.showToast", "tui.toast.show", message="Toasted", variant="info")


@case("tui.publish", {"body": {"type": "tui.nonsense"}}, "`body.type` must be one of tui.prompt.append")
async def publish(world: World) -> None:
    body = {"type": "tui.prompt.append", "properties": {"text": "published"}}
    await assert_event(world, "tui.publish", "tui.prompt.append", body=body)


@case("tui.selectSession", UNKNOWN_SESSION, NO_SESSION)
async def select_session(world: World) -> None:
    await assert_event(world, "tui.selectSession", "tui.session.select", sessionID=await world.session())


@case("tui.control.next", {"seconds": "long"}, "`seconds` must be a number")
async def next_request(world: World) -> None:
    assert "No request came within 0.5 s." in await world.notes("tui.control.next", seconds=0.5)


@case("tui.control.response", {}, "`body` is missing")
async def respond(world: World) -> None:
    assert await world.call("tui.control.response", body={"answer": 1}) is True
