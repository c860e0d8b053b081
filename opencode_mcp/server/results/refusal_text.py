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
    risk = _risk_head(other, change)
    paragraphs = {NOW: for_caller(refusal.hint), PERSON: person, risk: for_caller(refusal.remark)}
    return [head + text for head, text in paragraphs.items() if text]


def _risk_head(other: str, change: SettingsChange) -> str:
    """Return the beginning of the paragraph on the risk, which is that of the change."""
    if not other:
        return RISK
    return RISK_OF_SECOND if change.purpose else RISK_OF_FIRST


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
