"""Choices of the server that tests drive as OpenCode 2 where the released one is not known, and faults."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

VARIABLE = "OPENCODE2_SWITCHES"
"""The environment variable with the names of the switches that are on from the start, separated by commas."""


@dataclass(slots=True)
class Switches:
    """Switches that are on; a test may change that at any time with ``PUT /test/switches``."""

    user_rejects: bool = False
    """A rejected permission and a cancelled form end the execution with reason ``user`` and an idle message.

    Off: with reason ``shutdown`` and without one, as sources of a later date than the preview do.
    """
    same_id_conflicts: bool = False
    """A prompt with the id of another one of the session is refused with 409. Off: the first one is the reply."""
    unknown_is_404: bool = False
    """Unknown routes are 404 without a body. Off: 200 with the page of the web application."""
    starting: bool = False
    """Every request is refused with 503, as in the moments before the server is ready."""

    def set(self, values: Mapping[str, bool]) -> None:
        """Turn switches on and off by name.

        Raises:
            KeyError: There is no switch of this name.
        """
        known = {item.name for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise KeyError(name)
            setattr(self, name, value)


def switched_on(names: str) -> Switches:
    """Read switches from the environment variable's text."""
    switches = Switches()
    switches.set({name.strip(): True for name in names.split(",") if name.strip()})
    return switches
