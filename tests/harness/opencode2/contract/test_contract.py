"""The proxy knows the whole contract, and its pages and shapes are those of the released version."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opencode import resources

from tests.harness.opencode2.proxy.app import handlers
from tests.harness.opencode2.proxy.ends import End
from tests.harness.opencode2.proxy.event_shapes import translate
from tests.harness.opencode2.proxy.messages import with_ends
from tests.harness.opencode2.proxy.pages import BadPage, page
from tests.harness.opencode2.proxy.upstream import Upstream
from tests.harness.opencode2.switches import Switches, switched_on

OPERATION = re.compile(r"``(GET|POST|PUT|PATCH|DELETE) (/\S+)``")
OPERATIONS = 142


def of_the_client() -> Iterator[tuple[str, str]]:
    """The operations that the client's documentation names, with the names of parameters left out."""
    folder = Path(str(inspect.getsourcefile(resources))).parent
    for module in folder.glob("*.py"):
        for method, path in OPERATION.findall(module.read_text(encoding="utf-8")):
            yield method, re.sub(r":\w+|\*", "{}", path)


def test_every_operation_of_the_contract_has_a_handler_and_no_other_has() -> None:
    found = handlers(Upstream("http://127.0.0.1:9", ""), url="", data=Path(), switches=Switches())
    served = {(method, re.sub(r"\{[^}]*\}", "{}", path)) for method, path in found}
    assert len(served) == OPERATIONS
    assert served == set(of_the_client())


def messages(count: int) -> list[dict[str, object]]:
    return [{"id": f"msg_{number}", "type": "assistant"} for number in range(count)]


def ids(found: dict[str, Any]) -> list[str]:
    return [item["id"] for item in found["data"]]


def test_pages_begin_with_the_newest_and_their_cursors_go_on_until_an_empty_page() -> None:
    first = page(messages(5), {"limit": "3"})
    second = page(messages(5), {"limit": "3", "cursor": first["cursor"]["next"]})
    third = page(messages(5), {"limit": "3", "cursor": second["cursor"]["next"]})
    assert (ids(first), ids(second), ids(third)) == (["msg_4", "msg_3", "msg_2"], ["msg_1", "msg_0"], [])
    assert third["cursor"] == {}
    assert ids(page(messages(5), {"limit": "3", "cursor": second["cursor"]["previous"]})) == ids(first)


def test_pages_begin_with_the_oldest_when_asked() -> None:
    first = page(messages(4), {"limit": "2", "order": "asc"})
    assert ids(first) == ["msg_0", "msg_1"]
    assert ids(page(messages(4), {"cursor": first["cursor"]["next"]})) == ["msg_2", "msg_3"]


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ({"cursor": "nonsense"}, "InvalidCursorError"),
        ({"cursor": "eyJ9", "order": "asc"}, "InvalidCursorError"),
        ({"limit": "0"}, "InvalidRequestError"),
        ({"limit": "201"}, "InvalidRequestError"),
        ({"limit": "many"}, "InvalidRequestError"),
    ],
)
def test_an_impossible_page_is_refused(asked: dict[str, str], tag: str) -> None:
    with pytest.raises(BadPage) as caught:
        page(messages(3), asked)
    assert caught.value.tag == tag


def ended(name: str, after: str, **data: object) -> End:
    event = {"id": f"evt_{name}", "type": f"session.execution.{name}", "created": 1, "data": data}
    return End(event, after)


def test_an_end_is_after_the_message_that_was_the_last_one_and_goes_with_it() -> None:
    ends = [ended("succeeded", "msg_1"), ended("failed", "msg_9", error={"type": "x", "message": "HTTP 401: no"})]
    assert [item["id"] for item in with_ends(messages(3), ends)] == ["msg_0", "msg_1", "msg_succeeded", "msg_2"]


def test_an_end_before_any_message_comes_first_and_has_its_error_with_the_status() -> None:
    found = with_ends(messages(1), [ended("failed", "", error={"type": "x", "message": "HTTP 401: no"})])
    assert [item["id"] for item in found] == ["msg_failed", "msg_0"]
    assert found[0]["error"] == {"type": "x", "message": "HTTP 401: no", "status": 401}


def test_an_event_of_the_preview_that_the_contract_does_not_have_is_left_out() -> None:
    assert translate({"type": "plugin.added", "data": {}}) == []
    assert translate({"type": "message.updated", "data": {}}) == []


def test_an_event_that_nobody_knows_passes_as_it_is() -> None:
    assert translate({"type": "brand.new", "data": {"sessionID": "ses_1"}, "location": None}) == [
        {"type": "brand.new", "data": {"sessionID": "ses_1"}}
    ]


def test_switches_are_named_in_the_environment() -> None:
    assert switched_on("user_rejects, starting") == Switches(user_rejects=True, starting=True)
    with pytest.raises(KeyError):
        switched_on("no_such_switch")
