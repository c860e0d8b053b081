"""Permission policy: the operator's rules that say who answers a permission.

A permission has a kind, such as ``bash``, and the patterns that it is asked for, such as ``git push origin``. For each
kind the operator can write rules from a pattern to a decider. There are four deciders, from the loosest to the
strictest: ``allow`` (the bridge allows it), ``agent`` (the calling agent may answer), ``human`` (a person), ``reject``
(the bridge rejects it). The last rule that matches a pattern counts, as in OpenCode; without one, the default.

Where several deciders are possible the strictest holds. This one rule covers all combinations:

* A permission for several patterns, such as a command with ``&&``, is as strict as its strictest pattern.
* The caller of a run can set a limit, and is never looser than the operator for it.
* A run carries the policies under which it was started (``run_note.py``). They hold beside the policy of the bridge
  that looks at it now, so that a second bridge with looser rules cannot release what the first one restricts.

"Always" needs care. It makes OpenCode allow a whole pattern, such as ``git *``, in every session of the project, and it
is not asked again. So the decider must be right for every text that the pattern covers, not only for the text that was
asked (``decider_of_covered``). A rule counts there as soon as it may overlap the pattern. It replaces the rules before
it only if it certainly covers the whole pattern. Both decisions err on the strict side (``pattern_relations.py``).

OpenCode 2 renamed some kinds of permission. A rule holds for both names (``KIND_NAMES``), so that it need not be
written again; where rules under both names match, those under the name that OpenCode uses count, as the last ones.

This module is pure. It does not know who is present: whether a ``human`` permission is put to a person, or left to an
agent that works alone, is decided in ``answers/answer_rules.py``. A shell line that a caller names is taken apart by
``shell_policy.py`` first, since OpenCode does not ask about it. So is the line of a ``shell`` permission, which
OpenCode 2 asks for as a whole.

Rejected:

* A score or a boolean for each kind. Operators need to allow ``git status*`` and refuse ``git push*``.
* Letting OpenCode decide by writing the rules into its configuration. It has no "ask the agent" or "ask a person", the
  file belongs to the project, and a bridge that attaches to a running server must not change what others there may do.
* The first matching rule. OpenCode takes the last one, and rules that look alike must mean the same in both places.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import cast

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import DECIDERS, Decider, Rules, as_decider, as_rules
from opencode_mcp.runs.requests.pattern_relations import covers, expansions, may_overlap

KIND_NAMES = (("bash", "shell"), ("task", "subagent"))
"""Kinds of permission with the names in OpenCode 1 and in OpenCode 2."""
STRICTNESS: Mapping[Decider, int] = {decider: strictness for strictness, decider in enumerate(DECIDERS)}


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules."""

    default: Decider = "human"
    rules: Rules = field(default_factory=dict[str, Mapping[str, Decider]], hash=False)

    def decider(self, permission: str, patterns: Sequence[str], caller_limit: Decider = "allow") -> Decider:
        """Return who answers a permission.

        Args:
            permission: Its kind, such as ``bash``.
            patterns: What it is asked for; where rules differ on them, the strictest holds.
            caller_limit: The caller's own limit for the run.
        """
        deciders: list[Decider] = [self._decider_of(permission, pattern) for pattern in patterns or [""]]
        return strictest([*deciders, caller_limit])

    def decider_of_covered(self, permission: str, patterns: Sequence[str], caller_limit: Decider = "allow") -> Decider:
        """Return who may answer for everything that some patterns cover: the strictest decider of any of it.

        Args:
            permission: Its kind.
            patterns: Patterns as OpenCode would keep them, such as ``git push *``.
            caller_limit: A limit that holds at any rate.
        """
        covered = [text for pattern in patterns for text in expansions(pattern)]
        return strictest([caller_limit, *(self._decider_of_covered_by(permission, pattern) for pattern in covered)])

    def _decider_of_covered_by(self, permission: str, pattern: str) -> Decider:
        possible: set[Decider] = {self.default}
        for rule, decider in self._rules_for(permission):
            if covers(rule, pattern):
                possible = {decider}
            elif may_overlap(rule, pattern):
                possible.add(decider)
        return strictest(possible)

    def strictest_of_kind(self, permission: str) -> Decider:
        """Return who decides if the patterns of a permission are unknown: the strictest decider of its kind.

        Args:
            permission: Its kind; empty if that is unknown too.
        """
        rules = self._rules_for(permission) if permission else self._all_rules()
        return strictest([self.default, *(decider for _, decider in rules)])

    def _all_rules(self) -> list[tuple[str, Decider]]:
        return [rule for rules in self.rules.values() for rule in rules.items()]

    def _decider_of(self, permission: str, pattern: str) -> Decider:
        decider = self.default
        for rule, of_rule in self._rules_for(permission):
            if fnmatchcase(pattern, rule):
                decider = of_rule
        return decider

    def _rules_for(self, permission: str) -> list[tuple[str, Decider]]:
        """Return the rules for a kind of permission: first those under its other name, then those under this one."""
        rules: list[tuple[str, Decider]] = []
        for name in names_of(permission):
            rules += self.rules.get(name, {}).items()
        return rules


def names_of(permission: str) -> tuple[str, ...]:
    """Return the names of a kind of permission in both generations of OpenCode, the given one last."""
    for names in KIND_NAMES:
        if permission in names:
            other = names[0] if permission == names[1] else names[1]
            return other, permission
    return (permission,)


def as_data(policies: Iterable[Policy]) -> list[dict[str, object]]:
    """Return policies as JSON data; see ``read_policies``."""
    return [asdict(policy) for policy in policies]


def read_policies(data: object) -> tuple[Policy, ...]:
    """Read policies from JSON data.

    Raises:
        ValueError: They are none.
    """
    if not isinstance(data, list):
        raise ValueError("no list of policies")  # noqa: TRY004 - as JSON that cannot be read
    return tuple(_read(item) for item in cast("list[object]", data))


def _read(item: object) -> Policy:
    if not isinstance(item, Mapping):
        raise ValueError("no policy")  # noqa: TRY004 - as JSON that cannot be read
    policy = cast("Mapping[str, object]", item)
    try:
        return Policy(cast("Decider", as_decider(policy.get("default"))), as_rules(policy.get("rules")))
    except InvalidSetting as error:
        raise ValueError("no policy") from error


def strictest(deciders: Iterable[Decider]) -> Decider:
    """Return the strictest of some deciders."""
    return max(deciders, key=STRICTNESS.__getitem__)
