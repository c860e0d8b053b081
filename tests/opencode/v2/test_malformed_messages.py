"""A message of OpenCode 2 that is malformed in any way costs nothing but itself."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_mcp.markdown.transcript import render_transcript
from opencode_mcp.opencode.v2.messages.compactions_and_shell_lines import CONVERTERS as PAIRS
from opencode_mcp.opencode.v2.messages.conversation import END
from opencode_mcp.opencode.v2.messages.message_conversions import CONVERTERS as SINGLE
from opencode_mcp.runs.outcome.answer_summary import summarise
from opencode_mcp.runs.run_record import answers_in
from tests.opencode.v2.lists import call, idle, item, prompt, read, said, step
from tests.runs.json_of import values

FAILURE = {"type": "provider.internal", "message": "Busy", "status": 503}
FILE = {"data": "eA==", "mime": "text/x", "source": {"type": "uri", "uri": "file:///p"}, "name": "p"}
DONE = {
    "status": "completed",
    "input": {"path": "a"},
    "content": [{"type": "text", "text": "x"}, {"type": "file", "uri": "data:", "mime": "a/b", "name": "c"}],
    "metadata": {"sessionID": "ses_2", "files": [{"file": "a", "additions": 1, "deletions": 2}]},
}
SPAN = {"created": 1, "completed": 2}
MODEL = {"id": "m2", "providerID": "scripted", "variant": "high"}
WHOLE = [
    prompt(
        1, files=[FILE], agents=[{"name": "plan"}], skills=[{"id": "s", "name": "S", "text": "t"}], metadata={"a": 1}
    ),
    step(
        2,
        "tool-calls",
        {"type": "reasoning", "text": "Hm."},
        said("One."),
        call("edit", DONE),
        call("shell", {"status": "error", "input": {}, "error": FAILURE}),
        retry={"attempt": 2, "at": 3, "error": FAILURE},
        snapshot={"start": "a", "end": "b", "files": ["a"]},
        error=FAILURE,
    ),
    item("synthetic", 3, text="A note.", metadata={}),
    item("system", 4, text="Dates changed."),
    item("skill", 5, skill="s", name="S", text="t"),
    item("agent-switched", 6, agent="plan"),
    item("model-switched", 7, model=MODEL),
    item("location-switched", 8, location={"directory": "/p"}),
    item("compaction", 9, status="failed", reason="auto", summary="Long.", error=FAILURE, model=MODEL, cost=1),
    item("shell", 10, shellID="sh_1", command="ls", status="exited", exit=3, output={"output": "a", "truncated": True}),
    idle(11, "failed", error=FAILURE),
]
"""A message of each type, with every field that is read."""
TAIL = [prompt(90), step(91, "stop", said("Right.")), idle(92)]
Json = Any
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def paths(value: Json, path: tuple[Json, ...] = ()) -> list[tuple[Json, ...]]:
    """The paths of all values inside a value."""
    entries: list[tuple[Json, Json]] = []
    if isinstance(value, dict):
        entries = list(cast("dict[Json, Json]", value).items())
    elif isinstance(value, list):
        entries = list(enumerate(cast("list[Json]", value)))
    return [found for key, inner in entries for found in [(*path, key), *paths(inner, (*path, key))]]


PLACES = [(number, path) for number, message in enumerate(WHOLE) for path in paths(message)]
changes = st.tuples(st.sampled_from(PLACES), st.sampled_from(("replace", "remove", "rename")), values)


def changed(message: Mapping[str, object], path: Sequence[Json], how: str, value: Json) -> dict[str, Json]:
    """A message in which one value is replaced, removed, or found under another name."""
    copy: dict[str, Json] = deepcopy(dict(message))
    holder: Json = copy
    for key in path[:-1]:
        holder = holder[key]
    if how == "replace" or isinstance(holder, list):
        holder[path[-1]] = value
    else:
        kept = holder.pop(path[-1])
        holder.update({f"{path[-1]}2": kept} if how == "rename" else {})
    return copy


def use(items: Sequence[object]) -> list[str]:
    """Convert messages, use them in every way, and return their ids."""
    messages = read(*items)
    render_transcript(messages, show="everything")
    for message in messages:
        summarise(answers_in(messages, message.info.id))
    return [message.info.id for message in messages]


def test_the_table_has_every_type_that_is_converted() -> None:
    assert {message["type"] for message in WHOLE} == {*SINGLE, *PAIRS, END}


@patient
@given(changes)
def test_a_change_of_one_value_affects_no_other_message(change: tuple[tuple[int, Sequence[Json]], str, Json]) -> None:
    (number, path), how, value = change
    items: list[Mapping[str, object]] = [*WHOLE, *TAIL]
    items[number] = changed(items[number], path, how, value)
    found = use(items)
    kept = [message for message in use([*WHOLE, *TAIL]) if not message.startswith(str(WHOLE[number]["id"]))]
    assert [message for message in found if message in kept] == kept
    assert found[-2:] == ["msg_090", "msg_091"]


@patient
@given(st.lists(st.one_of(values, st.sampled_from(WHOLE)), max_size=6), st.sampled_from(("", "msg_000")))
def test_any_json_is_read_or_left_out(items: Sequence[object], prompt_id: str) -> None:
    found = read(*items, *TAIL, prompt=prompt_id)
    assert [message.info.id for message in found[-2:]] == ["msg_090", "msg_091"]


@patient
@given(st.sampled_from(sorted({*SINGLE, *PAIRS, END})), st.dictionaries(st.text(max_size=8), values, max_size=5))
def test_a_message_with_nothing_but_its_type_and_id_does_not_fail(kind: str, fields: Mapping[str, Json]) -> None:
    assert use([{**fields, "type": kind, "id": "msg_001"}, *TAIL])[-2:] == ["msg_090", "msg_091"]
