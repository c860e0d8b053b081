"""Addresses: whatever is written into one is read out of it again."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.uri_template import UriTemplate

from opencode_mcp.server import uris
from opencode_mcp.server.resources.resources import find_resource
from tests.harness.project_uri import project_uri

TEXTS = st.text(min_size=1, max_size=30)
IDS = st.from_regex(r"(ses|msg)_[0-9A-Za-z]{1,26}", fullmatch=True)


def parts(uri: str) -> tuple[str, dict[str, str]]:
    """The name of the resource at an address, and what its template reads out of it."""
    found = find_resource(uri)
    assert found is not None, uri
    spec, arguments = found
    return spec.name, arguments


@given(IDS, IDS)
def test_an_address_leads_to_its_own_template_with_its_own_values(session: str, message: str) -> None:
    assert parts(uris.sessions()) == ("sessions", {})
    assert parts(uris.PROJECT) == ("project", {})
    assert parts(uris.session(session)) == ("session", {"id": session})
    assert parts(uris.transcript(session)) == ("transcript", {"id": session})
    assert parts(uris.diff(session)) == ("changes", {"id": session})
    assert parts(uris.diff(session, message)) == ("changes", {"id": session, "message": message})
    assert parts(uris.todo(session)) == ("todos", {"id": session})
    assert parts(uris.message(session, message)) == ("message", {"id": session, "message": message})
    assert parts(uris.run(session, message)) == ("run", {"session": session, "message": message})


@given(IDS, TEXTS, TEXTS)
def test_any_text_survives_in_a_query(session: str, cursor: str, directory: str) -> None:
    assert parts(uris.sessions(cursor)) == ("sessions", {"cursor": cursor})
    assert parts(project_uri(directory)) == ("project", {"directory": directory})
    assert parts(uris.transcript(session, limit="7", cursor=cursor)) == (
        "transcript",
        {"id": session, "limit": "7", "cursor": cursor},
    )


@given(TEXTS, st.just("") | TEXTS)
def test_any_path_survives(path: str, directory: str) -> None:
    expected = {"path": path} | ({"directory": directory} if directory else {})
    assert parts(uris.file(path, directory)) == ("file", expected)


@given(TEXTS, TEXTS)
def test_an_id_that_is_none_cannot_lead_to_another_resource(session: str, message: str) -> None:
    assert parts(uris.message(session, message)) == ("message", {"id": session, "message": message})
    assert parts(uris.run(session, message)) == ("run", {"session": session, "message": message})


@given(st.text(max_size=60))
def test_an_address_of_any_other_form_is_no_resource(text: str) -> None:
    assert find_resource(f"http://{text}") is None
    assert find_resource(f"{uris.SCHEME}:{text.lstrip('/')}") is None


@pytest.mark.parametrize(
    ("write", "template"),
    [
        (uris.session, uris.SESSION_TEMPLATE),
        (uris.transcript, uris.TRANSCRIPT_TEMPLATE),
        (uris.diff, uris.DIFF_TEMPLATE),
        (uris.todo, uris.TODO_TEMPLATE),
    ],
)
@given(session=IDS)
def test_we_write_addresses_as_any_client_does_from_the_template(
    write: Callable[[str], str], template: str, session: str
) -> None:
    assert write(session) == UriTemplate.parse(template).expand({"id": session})


def test_pages_of_a_resource_share_one_address() -> None:
    assert uris.without_query(uris.transcript("ses_1", limit="3", cursor="x?y")) == uris.transcript("ses_1")
