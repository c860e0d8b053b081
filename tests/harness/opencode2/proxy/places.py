"""The directory that a request is about."""

from pathlib import Path
from urllib.parse import unquote

from starlette.requests import HTTPConnection

QUERY = "location[directory]"
HEADER = "x-opencode-directory"


def asked_directory(request: HTTPConnection) -> str:
    """Read the directory that a request names; empty: it names none."""
    return request.query_params.get(QUERY) or unquote(request.headers.get(HEADER, ""))


def directory_of(request: HTTPConnection) -> str:
    """Find the directory that a request is about: the server's own where it names none."""
    return asked_directory(request) or str(Path.cwd())


def missing_directory(request: HTTPConnection) -> str:
    """Find the directory that a request names and that is not there; empty: there is no such fault."""
    asked = asked_directory(request)
    return asked if asked and not is_usable(asked) else ""


def is_usable(directory: str) -> bool:
    """Return whether a session can work in a directory."""
    return Path(directory).is_absolute() and Path(directory).is_dir()
