"""The note in a session's record says who may answer the requests of a run: sealed, for its own prompt alone."""

import json
from pathlib import Path

import pytest

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.limits import Limits
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.runs.run_note import NOTE_KEY, UNREADABLE, Note, Notes, combined
from opencode_mcp.server.tokens.token_codec import TokenCodec
from tests.harness.servers.opencode import OpenCode

STRICT = Policy("reject", {"bash": {"ls *": "allow", "*": "human"}})
NOTE = Note("msg_1", "human", "person", (STRICT,))
LIMITED = Note("msg_1", limits=Limits(max_cost=0.5, max_steps=3), stopped="The run was stopped.")


@pytest.fixture
def seal(tmp_path: Path) -> TokenCodec:
    return TokenCodec(tmp_path)


def session(metadata: object) -> Session:
    return Session.model_validate({"id": "ses_1", "metadata": metadata})


def test_a_note_is_read_as_it_was_written(seal: TokenCodec) -> None:
    for note in (NOTE, LIMITED):
        assert Notes(seal).of(session(Notes(seal).metadata(note))) == [note]


def test_a_new_note_carries_the_policy_of_its_bridge_with_all_its_rules(seal: TokenCodec) -> None:
    note = Notes(seal, STRICT).new("msg_1", "human", "person")
    assert Notes(seal, Policy("allow")).of(session(Notes(seal).metadata(note))) == [NOTE]
    assert Notes(seal).new("msg_1", "human", "person").policies == ()


def test_a_note_keeps_how_its_prompt_begins(seal: TokenCodec) -> None:
    noted = session(Notes(seal).metadata(Notes(seal).new("msg_1", "allow", "agent", "/review src")))
    assert Notes(seal).first_words_of(noted, "msg_1") == "/review src"
    assert Notes(seal).first_words_of(noted, "msg_2") == ""
    odd = seal.seal(json.dumps(CONTENT | {"words": 5}).encode())
    assert Notes(seal).first_words_of(session({NOTE_KEY: odd}), "msg_1") == ""


@pytest.mark.parametrize("metadata", [None, {}, {"mine": 1}, "odd"])
def test_without_a_note_nothing_is_known(seal: TokenCodec, metadata: object) -> None:
    assert Notes(seal).of(session(metadata)) == []


@pytest.mark.parametrize("forged", ["odd", 5, {"message": "msg_1", "permissions": "allow", "starter": "agent"}, []])
def test_a_note_that_no_bridge_has_sealed_leaves_the_decision_to_a_person(seal: TokenCodec, forged: object) -> None:
    assert Notes(seal).of(session({NOTE_KEY: forged})) == [UNREADABLE]
    assert (UNREADABLE.caller_limit, UNREADABLE.starter) == ("human", "person")


CONTENT: dict[str, object] = {
    "is": "run note",
    "message": "msg_1",
    "permissions": "allow",
    "starter": "agent",
    "policies": [],
}


def test_the_content_that_the_next_test_changes_is_that_of_a_note(seal: TokenCodec) -> None:
    sealed = seal.seal(json.dumps(CONTENT).encode())
    assert Notes(seal).of(session({NOTE_KEY: sealed})) == [Note("msg_1", "allow", "agent")]


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[]",
        json.dumps(CONTENT | {"is": "task"}).encode(),
        json.dumps(CONTENT | {"permissions": "whoever"}).encode(),
        json.dumps(CONTENT | {"message": 5}).encode(),
        json.dumps(CONTENT | {"starter": "me"}).encode(),
        json.dumps({name: value for name, value in CONTENT.items() if name != "policies"}).encode(),
        json.dumps(CONTENT | {"policies": {}}).encode(),
        json.dumps(CONTENT | {"limits": {"max_cost": "much"}}).encode(),
        json.dumps(CONTENT | {"policies": ["allow"]}).encode(),
        json.dumps(CONTENT | {"policies": [{"default": "whoever", "rules": {}}]}).encode(),
        json.dumps(CONTENT | {"policies": [{"default": "allow", "rules": {"bash": {"*": 5}}}]}).encode(),
    ],
)
def test_what_was_sealed_for_another_purpose_is_no_note(seal: TokenCodec, content: bytes) -> None:
    assert Notes(seal).of(session({NOTE_KEY: seal.seal(content)})) == [UNREADABLE]


def test_another_state_directorys_note_leaves_the_decision_to_a_person(seal: TokenCodec, tmp_path: Path) -> None:
    other = Notes(TokenCodec(tmp_path / "other"))
    assert Notes(seal).of(session(other.metadata(NOTE))) == [UNREADABLE]


def test_what_was_written_here_is_remembered_whatever_the_record_says(seal: TokenCodec) -> None:
    notes = Notes(seal)
    notes.remember("ses_1", NOTE)
    assert notes.of(session({})) == [NOTE]
    looser = Note("msg_1", "allow", "agent")
    assert notes.of(session(Notes(seal).metadata(looser))) == [NOTE, looser]


def test_the_strictest_of_several_notes_counts() -> None:
    assert combined([]) == ("allow", "", ())
    assert combined([Note("a", "agent", "person"), Note("b", "human", "agent")]) == ("human", "person", ())


def test_the_policies_of_several_notes_hold_together() -> None:
    other = Policy("human")
    noted = [Note("a", policies=(STRICT,)), Note("b", policies=(other, STRICT)), Note("c")]
    assert combined(noted) == ("allow", "", (STRICT, other))


@pytest.mark.anyio
@pytest.mark.integration
async def test_a_note_outlives_the_call_and_leaves_other_metadata_alone(
    opencode_server: OpenCode, project: Path, seal: TokenCodec
) -> None:
    transport = Transport(Endpoint(url=opencode_server.url, password=opencode_server.password))
    client = OpenCodeClient(transport)
    made = await client.session_create(str(project), metadata={"mine": [1]})
    await Notes(seal).write(client, made, NOTE)
    read = await client.session_get(made.id)
    assert Notes(seal).of(read) == [NOTE]
    assert (read.model_extra or {})["metadata"]["mine"] == [1]
    await transport.aclose()
