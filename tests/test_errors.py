"""The documented tree of errors is the one in the code, and every error has a message."""

import inspect
import re

from opencode_mcp import errors
from opencode_mcp.errors import BackendFailed, BackendUnavailable, BridgeError
from tests.harness.each import for_each
from tests.reflection import descendants

INDENT = 4


def drawn() -> list[tuple[int, str]]:
    """The depth and the name of each error in the drawing."""
    lines = (
        re.match(r"((?:│   |    |├── |└── )*)([A-Z]\w+)", line) for line in (inspect.getdoc(errors) or "").splitlines()
    )
    found = [(len(line[1]) // INDENT, line[2]) for line in lines if line and hasattr(errors, line[2])]
    root = found[0][0]
    return [(depth - root, name) for depth, name in found]


def built(kind: type[BridgeError], depth: int = 0) -> list[tuple[int, str]]:
    # Modules that are imported later, and other tests, may have private ones.
    own = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    below = [item for child in own for item in built(child, depth + 1)]
    return [(depth, kind.__name__), *below]


def test_the_drawing_shows_the_classes_as_they_are() -> None:
    assert drawn() == built(BridgeError)


@for_each("kind", descendants(BridgeError))
def test_an_error_reads_as_its_message_and_then_its_hint(kind: type[BridgeError]) -> None:
    assert str(kind("The path 'x' is wrong.", hint="Take 'y'.")) == "The path 'x' is wrong. Take 'y'."
    assert str(kind("The path 'x' is wrong.")) == "The path 'x' is wrong."


@for_each("kind", descendants(BridgeError))
def test_an_error_says_in_its_docstring_when_it_is_raised(kind: type[BridgeError]) -> None:
    assert kind.__doc__


def test_a_failure_keeps_what_opencode_answered() -> None:
    error = BackendFailed("It broke.", status=500, kind="UnknownError")
    assert (error.status, error.kind) == (500, "UnknownError")


def test_an_unavailable_backend_counts_as_not_reached_by_default() -> None:
    assert not BackendUnavailable("Nothing answers.").sent
