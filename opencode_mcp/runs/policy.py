"""Who answers a permission: the operator's rules, narrowed for a run by its caller.

Pure. Deciders are ordered from the loosest to the strictest (``allow``, ``agent``, ``human``, ``reject``); a caller may
only move towards the strict end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from opencode_mcp.options import DECIDERS, Decider, Rules


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
        rules = self.rules.get(permission, {})
        fitting = [decider for rule, decider in rules.items() if fnmatchcase(pattern, rule)]
        return fitting[-1] if fitting else self.default


def strictest(deciders: Sequence[Decider]) -> Decider:
    """The strictest of some deciders."""
    position = max(DECIDERS.index(decider) for decider in deciders)
    return DECIDERS[position]
