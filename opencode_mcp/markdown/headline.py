"""Headline of a message in a transcript.

Pure. ``transcript.py`` renders the text below it.
"""

from datetime import UTC, datetime, timedelta

from opencode_mcp.markdown.excerpt import name
from opencode_mcp.opencode.vocabulary.wire.message import NEXT_STEP, MessageInfo
from opencode_mcp.text.quantities import money

USUAL_ENDS = frozenset({"", "stop", NEXT_STEP})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


UNDONE = "undone, does not count"


def headline(info: MessageInfo, answered: MessageInfo | None = None, *, undone: bool = False) -> str:
    """Return the headline: author, time or duration, cost, and the id of the message.

    Args:
        info: The message.
        answered: The assistant's message before it; the model is named only if it has changed.
        undone: Whether the message is undone.
    """
    role, *facts = _facts(info, answered)
    return " · ".join(filter(None, [role, UNDONE if undone else "", *facts]))


def _facts(info: MessageInfo, answered: MessageInfo | None) -> list[str]:
    if info.role != "assistant":
        return [name(info.role), _moment(info.time.created), name(info.id)]
    same = answered is not None and (answered.agent, answered.model) == (info.agent, info.model)
    return [
        "assistant",
        *([] if same else [name(text) for text in (info.agent, info.model) if text]),
        "summary of the conversation before" if info.summary is True else "",
        _usage(info),
        _duration(info),
        "" if info.finish in USUAL_ENDS else f"ended by {name(info.finish)}",
        name(info.id),
    ]


def _moment(milliseconds: float) -> str:
    try:
        return f"{EPOCH + timedelta(milliseconds=milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError):
        return ""


def _usage(info: MessageInfo) -> str:
    tokens = info.tokens
    if not tokens.input and not tokens.output:
        return ""
    return f"{tokens.input:,.0f} tokens in, {tokens.output:,.0f} out" + (f", {money(info.cost)}" if info.cost else "")


def _duration(info: MessageInfo) -> str:
    if info.time.completed is None:
        return "not finished"
    return f"{(info.time.completed - info.time.created) / 1000:,.1f} s"
