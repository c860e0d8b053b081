"""Text of a refusal: what the caller can do now, what the person can change, and the risk of that."""

from collections.abc import Callable

from opencode_mcp.errors import NotAllowed, SettingsChange
from opencode_mcp.server.results.host_settings import SettingsOwner, change_text

NOW = "Now possible: "
PERSON = "The person can: "
WIDER = "Or, with a wider effect"
"""Beginning of the second of two ways; the first one is the narrower."""
RISK = "Risk: "
RISK_OF_FIRST, RISK_OF_SECOND = "Risk of the first way: ", "Risk of the second way: "
RISK_OF_BOTH = "Risk of both ways: "
ORDER = (NOW, PERSON, RISK, RISK_OF_BOTH, RISK_OF_FIRST, RISK_OF_SECOND)
"""Beginnings of the paragraphs, in their order."""
ONLY_THEY = "Tell them; never change those settings yourself."


def steps_after_refusal(
    refusal: NotAllowed, change: SettingsChange, owner: SettingsOwner, for_caller: Callable[[str], str]
) -> list[str]:
    """Return the paragraphs that follow the message of a refusal.

    Args:
        refusal: The refusal.
        change: The change of the settings that it names.
        owner: Those whose settings hold, to say where they are.
        for_caller: Makes a text of the refusal fit for the caller.
    """
    other = for_caller(refusal.by_person)
    person = f"{_ways_of_person(other, change, owner)} {ONLY_THEY}"
    risks = _risks(refusal, change, has_two_ways=bool(other))
    paragraphs = {NOW: refusal.hint, **risks}
    texts = {head: for_caller(text) for head, text in paragraphs.items()} | {PERSON: person}
    return [head + texts[head] for head in ORDER if texts.get(head)]


def _risks(refusal: NotAllowed, change: SettingsChange, *, has_two_ways: bool) -> dict[str, str]:
    """Return the risks by the beginnings of their paragraphs; empty ones are to be left out."""
    if not has_two_ways:
        return {RISK: refusal.remark}
    if refusal.remark == refusal.risk_by_person:
        return {RISK_OF_BOTH: refusal.remark}
    if change.purpose:
        return {RISK_OF_FIRST: refusal.risk_by_person, RISK_OF_SECOND: refusal.remark}
    return {RISK_OF_FIRST: refusal.remark, RISK_OF_SECOND: refusal.risk_by_person}


def _ways_of_person(other: str, change: SettingsChange, owner: SettingsOwner) -> str:
    """Return what the person can do, in sentences. The other way comes first if it is narrower than the change.

    The change has a purpose then, which says what is to be gained by it.
    """
    by_settings = f"{change_text(change, owner)}."
    if not other:
        return by_settings
    if not change.purpose:
        return f"{by_settings} {WIDER}: {other}."
    return f"{other}. {WIDER}, {change.purpose}: {by_settings}"
