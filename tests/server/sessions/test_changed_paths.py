"""Files that a session changed, in a row of a list."""

from opencode_mcp.diffs.session_files import SessionFile
from opencode_mcp.runs.session_history.session_changes import SessionChanges
from opencode_mcp.server.sessions.changed_paths import FILES_NAMED, changes_data, changes_text

FILES = [
    SessionFile("/p/a.txt", (3, 1), is_certain=True),
    SessionFile("/other/b.txt", None, is_certain=True),
    SessionFile("/p/c.txt", None, is_certain=False),
]


def test_the_files_have_their_lines_and_a_mark_if_they_are_not_certain() -> None:
    assert changes_text(SessionChanges(FILES), "/p") == "files a.txt +3 -1, /other/b.txt, c.txt?"
    assert changes_data(SessionChanges(FILES), "/p") == {
        "files": [
            {"path": "a.txt", "added": 3, "removed": 1},
            {"path": "/other/b.txt"},
            {"path": "c.txt", "certain": False},
        ]
    }


def test_a_part_of_the_files_is_not_shown_as_if_it_were_all() -> None:
    many = [SessionFile(f"/p/{number}", None, is_certain=True) for number in range(FILES_NAMED + 2)]
    assert changes_text(SessionChanges(many), "/p").endswith(" and 2 more")
    assert changes_data(SessionChanges(many), "/p")["more_files"] == 2
    assert changes_text(SessionChanges(FILES[:1], is_whole=False), "/p") == "files of its latest messages a.txt +3 -1"
    assert changes_data(SessionChanges((), is_whole=False), "/p") == {"files_complete": False}
    assert changes_text(SessionChanges(), "/p") == ""
    assert changes_data(SessionChanges(), "/p") == {}
