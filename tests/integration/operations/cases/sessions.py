"""Cases of sessions, messages and requests."""

from functools import partial
from uuid import uuid4

import anyio

from opencode_mcp.runs.prompting.message_ids import new_message_id
from tests.harness.waiting import eventually
from tests.integration.operations.cases.case import NO_SESSION, UNKNOWN_SESSION, case
from tests.integration.operations.world import World
from tests.scripted_model.script import bash, question, script, silence, step, task, text, todos, write

MODEL = {"providerID": "scripted", "modelID": "m1"}


@case("session.create", {"title": 5}, "`title` must be a text; got 5")
async def create(world: World) -> None:
    made = await world.call("session.create", title="Made here", metadata={"from": "a test"})
    assert (made["title"], made["directory"]) == ("Made here", str(world.project))
    assert (await world.call("session.get", sessionID=made["id"]))["metadata"] == {"from": "a test"}


@case("session.get", UNKNOWN_SESSION, NO_SESSION)
async def get(world: World) -> None:
    session = await world.session("Read me")
    assert (await world.call("session.get", sessionID=session))["title"] == "Read me"


@case("session.update", {**UNKNOWN_SESSION, "title": "x"}, NO_SESSION)
async def update(world: World) -> None:
    session = await world.session("Before")
    await world.call("session.update", sessionID=session, title="After", time={"archived": 1})
    found = await world.call("session.get", sessionID=session)
    assert (found["title"], found["time"]["archived"]) == ("After", 1)


@case("session.delete", UNKNOWN_SESSION, NO_SESSION)
async def delete(world: World) -> None:
    session = await world.session()
    assert await world.call("session.delete", sessionID=session) is True
    assert "There is no session" in await world.refusal("session.get", sessionID=session)


@case("session.list", {"limit": "many"}, "`limit` must be a number")
async def list_sessions(world: World) -> None:
    session = await world.session("Listed once")
    found = await world.call("session.list", search="Listed once", limit=5)
    assert [item["id"] for item in found] == [session]


@case("experimental.session.list", {"roots": "perhaps"}, "`roots` must be true or false")
async def list_all(world: World) -> None:
    sessions = [await world.session(f"Paged {number}") for number in range(3)]
    page = await world.page("experimental.session.list", search="Paged", limit=2)
    rest = await world.call("experimental.session.list", search="Paged", cursor=float(str(page["cursor"])))
    assert {item["id"] for item in [*page["reply"], *rest]} == set(sessions)


@case("session.status", {"directory": "relative"}, "The directory 'relative' is relative")
async def status(world: World) -> None:
    session = await world.session()
    await world.start(session, script(silence(60)))

    async def look() -> bool:
        return (await world.call("session.status")).get(session) == {"type": "busy"}

    await eventually(look)
    await world.call("session.abort", sessionID=session)
    await world.idle(session)


@case("session.abort", UNKNOWN_SESSION, NO_SESSION)
async def abort(world: World) -> None:
    session = await world.session()
    await world.start(session, script(silence(60)))
    assert await world.call("session.abort", sessionID=session) is True
    await world.idle(session)


@case("session.children", UNKNOWN_SESSION, NO_SESSION)
async def children(world: World) -> None:
    session = await world.session()
    await world.say(session, script(task("Say hello.")))
    found = await world.call("session.children", sessionID=session)
    assert [child["parentID"] for child in found] == [session]


@case("session.todo", UNKNOWN_SESSION, NO_SESSION)
async def todo(world: World) -> None:
    session = await world.session()
    await world.say(session, script(todos(("Write it", "in_progress"))))
    found = await world.call("session.todo", sessionID=session)
    assert [(item["content"], item["status"]) for item in found] == [("Write it", "in_progress")]


@case("session.diff", {**UNKNOWN_SESSION, "messageID": "msg_x"}, NO_SESSION)
async def diff(world: World) -> None:
    place = {"directory": str(world.tracked)}
    session = await world.session(**place)
    name = f"diffed-{uuid4().hex}.txt"
    answer = await world.say(session, script(write(name, "one\n")), **place)
    asked = {"sessionID": session, "messageID": answer["info"]["parentID"], **place}
    # OpenCode puts the diff together a moment after the answer.
    found = await eventually(partial(world.call, "session.diff", **asked))
    assert [(item["file"], item["additions"]) for item in found] == [(name, 1)]


@case("session.fork", {"sessionID": "ses_nosuchsession", "messageID": "x"}, "`messageID` must start with msg")
async def fork(world: World) -> None:
    session = await world.session("Root")
    await world.say(session, script(text("Said once.")))
    copy = await world.call("session.fork", sessionID=session)
    said = await world.call("session.messages", sessionID=copy["id"])
    assert "Said once." in str(said)


@case("session.share", UNKNOWN_SESSION, NO_SESSION)
async def share(world: World) -> None:
    error = await world.refusal("session.share", sessionID=await world.session())
    assert "OpenCode failed at session.share" in error
    assert "Fails with 500 offline" in error


@case("session.unshare", UNKNOWN_SESSION, NO_SESSION)
async def unshare(world: World) -> None:
    session = await world.session()
    assert (await world.call("session.unshare", sessionID=session))["id"] == session


@case("session.revert", {"sessionID": "ses_x"}, "`messageID` is missing")
async def revert(world: World) -> None:
    place = {"directory": str(world.tracked)}
    session = await world.session(**place)
    answer = await world.say(session, script(write("reverted.txt", "one\n")), **place)
    await world.call("session.revert", sessionID=session, messageID=answer["info"]["parentID"], **place)
    assert not (world.tracked / "reverted.txt").exists()


@case("session.unrevert", UNKNOWN_SESSION, NO_SESSION)
async def unrevert(world: World) -> None:
    place = {"directory": str(world.tracked)}
    session = await world.session(**place)
    answer = await world.say(session, script(write("restored.txt", "one\n")), **place)
    await world.call("session.revert", sessionID=session, messageID=answer["info"]["parentID"], **place)
    assert not (world.tracked / "restored.txt").exists()
    await world.call("session.unrevert", sessionID=session, **place)
    assert (world.tracked / "restored.txt").read_text(encoding="utf-8") == "one\n"


@case("session.summarize", {**UNKNOWN_SESSION, "modelID": "m1"}, "`providerID` is missing")
async def summarize(world: World) -> None:
    session = await world.session()
    await world.say(session, "Hello")
    assert await world.call("session.summarize", sessionID=session, **MODEL) is True
    said = await world.call("session.messages", sessionID=session)
    assert [item["info"].get("summary") for item in said][-1] is True


@case("session.init", {**UNKNOWN_SESSION, **MODEL}, "`messageID` is missing")
async def init(world: World) -> None:
    session = await world.session()
    message = new_message_id()
    assert await world.call("session.init", sessionID=session, messageID=message, **MODEL) is True
    assert "AGENTS.md" in str(await world.call("session.message", sessionID=session, messageID=message))


@case("session.prompt", {**UNKNOWN_SESSION, "parts": [{"type": "tect"}]}, "`parts[0].type` must be one of text, file")
async def prompt(world: World) -> None:
    session = await world.session()
    answer = await world.say(session, script(write("prompted.txt", "here\n"), text("It is there.")))
    assert answer["parts"][-2]["text"] == "It is there."
    assert (world.project / "prompted.txt").read_text(encoding="utf-8") == "here\n"


@case("session.prompt_async", UNKNOWN_SESSION, "`parts` is missing")
async def prompt_async(world: World) -> None:
    session = await world.session()
    await world.start(session, script(write("later.txt", "here\n")))
    await eventually((anyio.Path(world.project) / "later.txt").is_file)
    await world.idle(session)


@case("session.command", {**UNKNOWN_SESSION, "command": "init"}, "`arguments` is missing")
async def command(world: World) -> None:
    session = await world.session()
    await world.call("session.command", sessionID=session, command="init", arguments="Mind the docs.")
    assert "Mind the docs." in str(await world.call("session.messages", sessionID=session))


@case("session.shell", {**UNKNOWN_SESSION, "command": "true"}, "`agent` is missing")
async def shell(world: World) -> None:
    session = await world.session()
    await world.call("session.shell", sessionID=session, agent="build", command="echo shelled > shelled.txt")
    assert (world.project / "shelled.txt").read_text(encoding="utf-8") == "shelled\n"


@case("session.messages", {**UNKNOWN_SESSION, "limit": -1}, "`limit` must be 0 or more")
async def messages(world: World) -> None:
    session = await world.session()
    await world.say(session, script(text("First.")))
    await world.say(session, script(text("Second.")))
    page = await world.page("session.messages", sessionID=session, limit=2)
    assert "Second." in str(page["reply"])
    assert "First." not in str(page["reply"])
    assert page["notes"] == [f'The next page: before="{page["cursor"]}".']
    older = await world.call("session.messages", sessionID=session, limit=2, before=page["cursor"])
    assert "First." in str(older)


@case("session.message", {**UNKNOWN_SESSION, "messageID": "x"}, "`messageID` must start with msg")
async def message(world: World) -> None:
    session = await world.session()
    answer = await world.say(session, script(text("Read me again.")))
    found = await world.call("session.message", sessionID=session, messageID=answer["info"]["id"])
    assert "Read me again." in str(found["parts"])


@case("session.deleteMessage", UNKNOWN_SESSION, "`messageID` is missing")
async def delete_message(world: World) -> None:
    session = await world.session()
    answer = await world.say(session, script(text("Forget this.")))
    assert await world.call("session.deleteMessage", sessionID=session, messageID=answer["info"]["id"]) is True
    left = await world.call("session.messages", sessionID=session)
    assert [item["info"]["id"] for item in left] == [answer["info"]["parentID"]]


@case("part.update", {"sessionID": "ses_x", "messageID": "msg_x", "partID": "prt_x"}, "`body` is missing")
async def update_part(world: World) -> None:
    session = await world.session()
    answer = await world.say(session, script(text("Old words.")))
    part = next(item for item in answer["parts"] if item["type"] == "text")
    place = {"sessionID": session, "messageID": part["messageID"], "partID": part["id"]}
    await world.call("part.update", **place, body={**part, "text": "New words."})
    assert "New words." in str(await world.call("session.message", sessionID=session, messageID=part["messageID"]))


@case("part.delete", {"sessionID": "ses_x", "messageID": "msg_x", "partID": "../x"}, "`partID` must")
async def delete_part(world: World) -> None:
    session = await world.session()
    answer = await world.say(session, script(text("Not for long.")))
    part = next(item for item in answer["parts"] if item["type"] == "text")
    await world.call("part.delete", sessionID=session, messageID=part["messageID"], partID=part["id"])
    left = await world.call("session.message", sessionID=session, messageID=part["messageID"])
    assert part["id"] not in {item["id"] for item in left["parts"]}


@case("permission.list")
async def permissions(world: World) -> None:
    session = await world.session()
    await world.start(session, script(bash("echo listed")))
    asked = await world.pending("permission.list", session)
    assert (asked["permission"], asked["patterns"]) == ("bash", ["echo listed"])
    await world.call("session.abort", sessionID=session)


@case(
    "permission.reply", {"requestID": "per_nosuch", "reply": "perhaps"}, "`reply` must be one of once, always, reject"
)
async def reply_permission(world: World) -> None:
    session = await world.session()
    await world.start(session, script(bash("echo allowed > allowed.txt")))
    asked = await world.pending("permission.list", session)
    assert await world.call("permission.reply", requestID=asked["id"], reply="once") is True
    await world.idle(session)
    assert (world.project / "allowed.txt").is_file()
    assert "not found" in (await world.refusal("permission.reply", requestID=asked["id"], reply="once")).lower()


@case("permission.respond", {**UNKNOWN_SESSION, "permissionID": "per_x", "response": "once"}, NO_SESSION)
async def respond(world: World) -> None:
    session = await world.session()
    await world.start(session, script(bash("echo refused > refused.txt")))
    asked = await world.pending("permission.list", session)
    assert (
        await world.call("permission.respond", sessionID=session, permissionID=asked["id"], response="reject") is True
    )
    await world.idle(session)
    assert not (world.project / "refused.txt").exists()


@case("question.list")
async def questions(world: World) -> None:
    session = await world.session()
    await world.start(session, script(question("Which colour?", "Red", "Blue")))
    asked = await world.pending("question.list", session)
    assert asked["questions"][0]["question"] == "Which colour?"
    await world.call("session.abort", sessionID=session)


@case("question.reply", {"requestID": "que_nosuch", "answers": "Red"}, "`answers` must be a list")
async def reply_question(world: World) -> None:
    session = await world.session()
    await world.start(session, script(step(question("Which colour?", "Red", "Blue")), text("Thanks.")))
    asked = await world.pending("question.list", session)
    assert await world.call("question.reply", requestID=asked["id"], answers=[["Blue"]]) is True
    await world.idle(session)
    assert "Blue" in str(await world.call("session.messages", sessionID=session, limit=2))


@case("question.reject", {"requestID": "que_nosuchquestion"}, "not found")
async def reject_question(world: World) -> None:
    session = await world.session()
    await world.start(session, script(question("Which colour?", "Red")))
    asked = await world.pending("question.list", session)
    assert await world.call("question.reject", requestID=asked["id"]) is True
    await world.idle(session)
    assert asked["id"] not in {item["id"] for item in await world.call("question.list")}
