"""Who answers a permission: the operator's rules, narrowed for a run by its caller.

Pure. Deciders are ordered from the loosest to the strictest (``allow``, ``agent``, ``human``, ``reject``); a caller may
only move towards the strict end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from opencode_mcp.options import DECIDERS, Decider, Rules

STRICTNESS: Mapping[Decider, int] = {decider: strictness for strictness, decider in enumerate(DECIDERS)}


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules."""

    default: Decider = "human"
    rules: Rules = field(default_factory=dict[str, Mapping[str, Decider]])

    def decider(self, permission: str, patterns: Sequence[str], narrowed: Decider = "allow") -> Decider:
        """Who answers a permission.

        Args:
            permission: Its kind, such as ``bash``.
            patterns: What it is asked for; where rules differ on them, the strictest holds.
            narrowed: The caller's own limit for the run.
        """
        deciders: list[Decider] = [self._decider_of(permission, pattern) for pattern in patterns or [""]]
        return strictest([*deciders, narrowed])

    def _decider_of(self, permission: str, pattern: str) -> Decider:
        decider = self.default
        for rule, said in self.rules.get(permission, {}).items():
            if fnmatchcase(pattern, rule):
                decider = said
        return decider


def strictest(deciders: Iterable[Decider]) -> Decider:
    """The strictest of some deciders."""
    return max(deciders, key=STRICTNESS.__getitem__)
