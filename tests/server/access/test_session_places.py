"""The directory of a session is found in OpenCode's list, whatever cursor that list has for its next page."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.server.access.session_places import SessionPlaces

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio


class Page:
    """A page of sessions."""

    def __init__(self, cursor: str) -> None:
        self.items = [Session.read({"id": "ses_1", "directory": "/p"})]
        self.cursor = cursor


class Listing:
    """Answers the list of all sessions with one page."""

    def __init__(self, cursor: str) -> None:
        self.asked = 0
        self.page = Page(cursor)

    async def all_sessions(self, _query: object) -> Page:
        """The page."""
        self.asked += 1
        return self.page


class BrokenListing:
    """Fails the list of all sessions, and that of one directory."""

    async def all_sessions(self, _wanted: object, directory: str = "") -> Page:
        """Return the page of a directory that can be read."""
        if directory != "/p":
            raise BackendFailed(f"The list of {directory or 'everything'} cannot be read.")
        return Page("")


def nowhere(_session_id: str) -> str:
    return ""


async def no_directories() -> list[str]:
    return []


async def both() -> list[str]:
    return ["/broken", "/p"]


async def test_a_list_of_everything_that_fails_costs_no_session_of_a_directory_that_can_be_read() -> None:
    places = SessionPlaces(cast("OpenCodeClient", BrokenListing()), nowhere, both)
    assert await places.find("ses_1") == "/p"
    with pytest.raises(BackendFailed, match="everything"):
        await places.find("ses_2")


async def test_a_session_whose_directory_an_event_named_needs_no_list() -> None:
    places = SessionPlaces(cast("OpenCodeClient", BrokenListing()), lambda _session_id: "/q", both)
    assert await places.find("ses_3") == "/q"


@pytest.mark.parametrize("cursor", ["", "abc", "1e5", "-1", "9" * 5000, "\u0663"])
async def test_a_cursor_that_is_no_moment_ends_the_list(cursor: str) -> None:
    listing = Listing(cursor)
    places = SessionPlaces(cast("OpenCodeClient", listing), nowhere, no_directories)
    assert await places.find("ses_1") == "/p"
    assert await places.find("ses_2") == ""
    assert listing.asked == 2
