"""Differences between the generations of OpenCode that tests for both of them meet.

A test with the mark ``both_generations`` runs on OpenCode 1 and 2. Where the two must differ, the reason is here: the
whole test makes no sense on OpenCode 2 (``NOT_ON_2``), or the test asks for the value of its generation.
"""

from collections.abc import Mapping

NOT_ON_2: Mapping[str, str] = {}
"""Reasons why a test does not run on OpenCode 2, by the end of its node id."""


def difference_of(node_id: str) -> str:
    """Return the reason why a test does not run on OpenCode 2; empty if it does."""
    return next((reason for name, reason in NOT_ON_2.items() if node_id.endswith(name)), "")
