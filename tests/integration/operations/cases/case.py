"""A table of cases: for each operation a good call with its effect looked at, and a bad one with its error."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.operations.world import World

Good = Callable[[World], Awaitable[None]]
NONSENSE: dict[str, Any] = {"nonsense": 1}


@dataclass(frozen=True, slots=True)
class Case:
    """One operation's."""

    good: Good
    bad: dict[str, Any]
    """Arguments that must be refused."""
    says: str
    """Part of the refusal's text."""


CASES: dict[str, Case] = {}


def case(
    operation_id: str, bad: dict[str, Any] = NONSENSE, says: str = "no argument `nonsense`"
) -> Callable[[Good], Good]:
    """Enter a case into the table; one that takes no arguments refuses any."""

    def enter(good: Good) -> Good:
        assert operation_id not in CASES, operation_id
        CASES[operation_id] = Case(good, bad, says)
        return good

    return enter


UNKNOWN_SESSION: dict[str, Any] = {"sessionID": "ses_nosuchsession"}
NO_SESSION = "There is no session 'ses_nosuchsession'"
