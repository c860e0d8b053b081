"""The addresses of resources: one place writes them, for the templates, the links in results and the notifications."""

from urllib.parse import quote, urlencode

SCHEME = "opencode"
SESSIONS = f"{SCHEME}://sessions"
PROJECT = f"{SCHEME}://project"

SESSION_TEMPLATE = f"{SCHEME}://session/{{id}}"
TRANSCRIPT_TEMPLATE = f"{SESSION_TEMPLATE}/transcript{{?limit,cursor,detailed}}"
DIFF_TEMPLATE = f"{SESSION_TEMPLATE}/diff{{?message}}"
TODO_TEMPLATE = f"{SESSION_TEMPLATE}/todo"
MESSAGE_TEMPLATE = f"{SESSION_TEMPLATE}/message/{{message}}"
RUN_TEMPLATE = f"{SCHEME}://run/{{session}}/{{message}}"
FILE_TEMPLATE = f"{SCHEME}://file/{{+path}}"
SESSIONS_TEMPLATE = SESSIONS + "{?cursor}"
PROJECT_TEMPLATE = PROJECT + "{?directory}"


def session(session_id: str) -> str:
    """The status of a session."""
    return f"{SCHEME}://session/{session_id}"


def transcript(session_id: str, **query: str) -> str:
    """The transcript of a session; the query chooses the page."""
    return f"{session(session_id)}/transcript" + (f"?{urlencode(query)}" if query else "")


def diff(session_id: str, message_id: str = "") -> str:
    """What a session, or one prompt of it, changed."""
    return f"{session(session_id)}/diff" + (f"?message={message_id}" if message_id else "")


def todo(session_id: str) -> str:
    """A session's todo list."""
    return f"{session(session_id)}/todo"


def message(session_id: str, message_id: str) -> str:
    """One message in full."""
    return f"{session(session_id)}/message/{message_id}"


def run(session_id: str, message_id: str) -> str:
    """The report of a run."""
    return f"{SCHEME}://run/{session_id}/{message_id}"


def file(path: str) -> str:
    """A file of the default project, by its path relative to it."""
    return f"{SCHEME}://file/{quote(path)}"
