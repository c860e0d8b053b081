"""An object of OpenCode 2 that is malformed in any way costs nothing but itself, and a field nothing but its value."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.request_conversions import permission_of, question_of
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import JsonMap
from tests.runs.json_of import values

Json = dict[str, Any]
MODEL: Json = {"id": "m1", "providerID": "scripted", "name": "M1", "variants": [{"id": "high"}], "cost": [{"input": 1}]}
LISTS: Mapping[Callable[[object], object], Json] = {
    conversions.agents_of: {"id": "build", "mode": "primary", "description": "Builds", "hidden": False},
    conversions.commands_of: {"name": "greet", "description": "Greets"},
    conversions.mcp_servers_of: {"name": "files", "status": {"status": "failed", "error": "No"}},
    conversions.entries_of: {"path": "src/", "type": "directory"},
    conversions.diffs_of: {"file": "a", "patch": "@@", "additions": 1, "deletions": 0, "status": "added"},
    conversions.uncommitted_of: {"file": "a", "additions": 1, "deletions": 0, "status": "added"},
    lambda data: conversions.providers_of(data).usable: MODEL,
}
"""Converters of lists, each with an entry."""
SESSION: Json = {
    "id": "ses_1",
    "title": "T",
    "projectID": "p",
    "parentID": "ses_0",
    "location": {"directory": "/p"},
    "time": {"created": 1, "updated": 2, "idle": 3},
    "cost": 0.5,
    "tokens": {"input": 1, "output": 2, "reasoning": 3},
    "metadata": {"a": 1},
    "revert": {"messageID": "msg_1", "files": [{"file": "a", "patch": "@@", "status": "added"}]},
}
PERMISSION: Json = {
    "id": "per_1",
    "sessionID": "ses_1",
    "action": "shell",
    "resources": ["ls"],
    "save": ["ls"],
    "metadata": {},
    "source": {"type": "tool", "messageID": "msg_1", "id": "call_1"},
    "message": "Why",
}
FIELD: Json = {
    "key": "q0",
    "title": "Which?",
    "description": "Which one?",
    "type": "string",
    "options": [{"value": "red", "label": "Red", "description": "R"}],
    "custom": True,
    "required": True,
    "minLength": 1,
    "maximum": 3,
    "default": "red",
    "when": [{"key": "q", "op": "eq", "value": 1}],
}
FORM: Json = {
    "id": "frm_1",
    "sessionID": "ses_1",
    "title": "Questions",
    "metadata": {"kind": "question", "tool": {"messageID": "msg_1", "id": "call_1"}},
    "fields": [FIELD],
}
OBJECTS: tuple[tuple[Callable[[JsonMap], object], Json], ...] = (
    (conversions.session_of, SESSION),
    (permission_of, PERMISSION),
    (question_of, FORM),
)
"""Converters of single objects, each with one."""
NAMES = frozenset({"id", "sessionID"})
"""Fields without which an object is nothing."""
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ways = st.sampled_from(("replace", "remove", "rename"))


def received(value: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a value as it is after its way over the network."""
    return read_json(json.dumps(value))


def changed(whole: Json, name: str, how: str, value: object) -> Json:
    """Return an object in which one field is replaced, missing, or has another name."""
    rest = {key: item for key, item in whole.items() if key != name}
    return received(rest | {"replace": {name: value}, "rename": {f"{name}2": whole[name]}}.get(how, {}))


@patient
@given(st.data(), ways, values)
def test_a_changed_entry_of_a_list_affects_no_other_one(data: st.DataObject, how: str, value: object) -> None:
    for convert, entry in LISTS.items():
        name = data.draw(st.sampled_from(sorted(entry)))
        found = cast("Any", convert([changed(entry, name, how, value), entry]))
        whole = cast("Any", convert([entry]))
        assert all(item in found for item in whole)
        assert convert(received([value, entry])) == whole


@patient
@given(st.data(), ways, values)
def test_a_changed_field_costs_its_value_alone(data: st.DataObject, how: str, value: object) -> None:
    for convert, whole in OBJECTS:
        name = data.draw(st.sampled_from(sorted(whole)))
        try:
            convert(changed(whole, name, how, value))
        except BackendFailed:
            assert name in NAMES


@patient
@given(values)
def test_no_reply_is_too_strange_to_be_read_or_left_out(value: object) -> None:
    strange = received(value)
    for convert in LISTS:
        convert(strange)
    conversions.vcs_of(strange)
    conversions.model_name(strange)
