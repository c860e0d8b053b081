"""Who answers a permission: the operator's rules, narrowed for a run by its caller.

Pure. Deciders are ordered from the loosest to the strictest (``allow``, ``agent``, ``human``, ``reject``); a caller may
only move towards the strict end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import cast

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import DECIDERS, Decider, Rules, as_decider, as_rules
from opencode_mcp.runs.requests.patterns import covers, expansions, may_overlap

STRICTNESS: Mapping[Decider, int] = {decider: strictness for strictness, decider in enumerate(DECIDERS)}


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules."""

    default: Decider = "human"
    rules: Rules = field(default_factory=dict[str, Mapping[str, Decider]], hash=False)

    def decider(self, permission: str, patterns: Sequence[str], narrowed: Decider = "allow") -> Decider:
        """Who answers a permission.

        Args:
            permission: Its kind, such as ``bash``.
            patterns: What it is asked for; where rules differ on them, the strictest holds.
            narrowed: The caller's own limit for the run.
        """
        deciders: list[Decider] = [self._decider_of(permission, pattern) for pattern in patterns or [""]]
        return strictest([*deciders, narrowed])

    def decider_of_all(self, permission: str, patterns: Sequence[str], narrowed: Decider = "allow") -> Decider:
        """Who may answer for everything that some patterns cover: the strictest of all that a rule says of any of it.

        Args:
            permission: Its kind.
            patterns: Patterns as OpenCode would keep them, such as ``git push *``.
            narrowed: A limit that holds at any rate.
        """
        covered = [text for pattern in patterns for text in expansions(pattern)]
        return strictest([narrowed, *(self._decider_of_any(permission, pattern) for pattern in covered)])

    def _decider_of_any(self, permission: str, pattern: str) -> Decider:
        possible: set[Decider] = {self.default}
        for rule, said in self.rules.get(permission, {}).items():
            if covers(rule, pattern):
                possible = {said}
            elif may_overlap(rule, pattern):
                possible.add(said)
        return strictest(possible)

    def strictest(self, permission: str) -> Decider:
        """Who decides where it cannot be told what a permission is asked for: the strictest that may come into play."""
        return strictest([self.default, *self.rules.get(permission, {}).values()])

    def _decider_of(self, permission: str, pattern: str) -> Decider:
        decider = self.default
        for rule, said in self.rules.get(permission, {}).items():
            if fnmatchcase(pattern, rule):
                decider = said
        return decider


def as_data(policies: Iterable[Policy]) -> list[dict[str, object]]:
    """Policies as JSON data; see ``read_policies``."""
    return [asdict(policy) for policy in policies]


def read_policies(data: object) -> tuple[Policy, ...]:
    """Policies out of JSON data.

    Raises:
        ValueError: They are none.
    """
    if not isinstance(data, list):
        raise ValueError("no list of policies")  # noqa: TRY004 - as JSON that cannot be read
    return tuple(_read(item) for item in cast("list[object]", data))


def _read(item: object) -> Policy:
    if not isinstance(item, Mapping):
        raise ValueError("no policy")  # noqa: TRY004 - as JSON that cannot be read
    said = cast("Mapping[str, object]", item)
    try:
        return Policy(cast("Decider", as_decider(said.get("default"))), as_rules(said.get("rules")))
    except InvalidSetting as error:
        raise ValueError("no policy") from error


def strictest(deciders: Iterable[Decider]) -> Decider:
    """The strictest of some deciders."""
    return max(deciders, key=STRICTNESS.__getitem__)
