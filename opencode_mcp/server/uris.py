"""URIs of resources, for the templates, the links in results and the notifications."""

from urllib.parse import parse_qsl, quote, unquote, urlencode

SCHEME = "opencode"
SESSIONS = f"{SCHEME}://sessions"
PROJECT = f"{SCHEME}://project"
SKILL = "skill://opencode/SKILL.md"
"""URI in the form of MCP's skills extension: the folder has the name of the skill."""

SESSION_TEMPLATE = f"{SCHEME}://session/{{id}}"
TRANSCRIPT_TEMPLATE = f"{SESSION_TEMPLATE}/transcript{{?limit,cursor,show}}"
DIFF_TEMPLATE = f"{SESSION_TEMPLATE}/diff{{?message}}"
TODO_TEMPLATE = f"{SESSION_TEMPLATE}/todo"
MESSAGE_TEMPLATE = f"{SESSION_TEMPLATE}/message/{{message}}"
RUN_TEMPLATE = f"{SCHEME}://run/{{session}}/{{message}}"
FILE_TEMPLATE = f"{SCHEME}://file/{{+path}}{{?directory}}"
SESSIONS_TEMPLATE = SESSIONS + "{?cursor}"
PROJECT_TEMPLATE = PROJECT + "{?directory}"


def sessions(cursor: str = "") -> str:
    """Return the URI of the sessions, or of a later page of them."""
    return SESSIONS + _query(cursor=cursor)


def session(session_id: str) -> str:
    """Return the URI of a session's state."""
    return f"{SCHEME}://session/{_segment(session_id)}"


def transcript(session_id: str, **query: str) -> str:
    """Return the URI of a session's transcript; the query selects the page."""
    return f"{session(session_id)}/transcript" + _query(**query)


def diff(session_id: str, message_id: str = "") -> str:
    """Return the URI of the changes of a session, or of one prompt of it."""
    return f"{session(session_id)}/diff" + _query(message=message_id)


def todo(session_id: str) -> str:
    """Return the URI of a session's todo list."""
    return f"{session(session_id)}/todo"


def message(session_id: str, message_id: str) -> str:
    """Return the URI of a message."""
    return f"{session(session_id)}/message/{_segment(message_id)}"


def run(session_id: str, message_id: str) -> str:
    """Return the URI of a run's report."""
    return f"{SCHEME}://run/{_segment(session_id)}/{_segment(message_id)}"


def file(path: str, directory: str = "") -> str:
    """Return the URI of a file, by its path relative to a project; empty: the default project."""
    return f"{SCHEME}://file/{quote(path)}" + _query(directory=directory)


def without_query(uri: str) -> str:
    """Return a URI without its query, which is the same for all pages of a resource."""
    return uri.partition("?")[0]


def session_in(uri: str) -> str:
    """Return the session that a URI names; empty if it names none."""
    kind, _, rest = without_query(uri).removeprefix(f"{SCHEME}://").partition("/")
    return unquote(rest.partition("/")[0]) if kind in {"session", "run"} else ""


def directory_in(uri: str) -> str:
    """Return the directory that a URI names; empty if it names none."""
    return dict(parse_qsl(uri.partition("?")[2])).get("directory", "")


def _segment(text: str) -> str:
    return quote(text, safe="")


def _query(**values: str) -> str:
    # RFC 6570 does not encode a space as a plus sign.
    given = urlencode({name: value for name, value in values.items() if value}, quote_via=quote, safe="")
    return f"?{given}" if given else ""
