"""Permission policy of a principal: its own rules, and what the whole bridge rejects. Pure.

What the operator allows for the whole bridge, or leaves to agents there, is not allowed to principals.
"""

from collections.abc import Mapping

from opencode_mcp.options import Decider, Rules
from opencode_mcp.runs.requests.permission_policy import names_of


def default_decider(of_bridge: Decider) -> Decider:
    """Return who answers the permission requests of a principal that does not say so itself."""
    return "reject" if of_bridge == "reject" else "human"


def rules_of_principal(own: Rules, of_bridge: Rules) -> Rules:
    """Return the rules of a principal. Those of the whole bridge that reject are the last ones, so they always hold.

    Args:
        own: The rules of the principal's own table.
        of_bridge: Those of the whole bridge.
    """
    rules: dict[str, Mapping[str, Decider]] = dict(own)
    for kind, patterns in of_bridge.items():
        rejected = [pattern for pattern, decider in patterns.items() if decider == "reject"]
        for name in names_of(kind) if rejected else ():
            rules[name] = _with_rejected(rules.get(name, {}), rejected)
    return rules


def _with_rejected(rules: Mapping[str, Decider], rejected: list[str]) -> Mapping[str, Decider]:
    merged: dict[str, Decider] = {pattern: decider for pattern, decider in rules.items() if pattern not in rejected}
    for pattern in rejected:
        merged[pattern] = "reject"
    return merged
