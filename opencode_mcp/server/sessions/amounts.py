"""Amounts of money and tokens as text and as data. Pure."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.runs.sessions.spending import Spending

SHOWN_DIGITS = 4
"""Decimals of an amount in a text."""
DATA_DIGITS = 6
"""Decimals of an amount in structured content."""


def money(cost: float) -> str:
    """Return an amount of US dollars as text."""
    least = 10**-SHOWN_DIGITS
    return f"under ${least:.{SHOWN_DIGITS}f}" if 0 < cost < least / 2 else f"${cost:.{SHOWN_DIGITS}f}"


def tokens_text(spent: "Spending") -> str:
    """Return tokens as text; empty if there are none."""
    return f"{spent.input:,.0f} tokens in, {spent.output:,.0f} out" if spent.input or spent.output else ""


def amount_text(spent: "Spending", cost: float | None = None) -> str:
    """Return an amount as text; tokens only if there are some.

    Args:
        spent: The amount.
        cost: Its cost, if that was rounded to fit a sum.
    """
    return ", ".join(filter(None, [money(spent.cost if cost is None else cost), tokens_text(spent)]))


def amount_data(spent: "Spending", cost: float | None = None) -> dict[str, Any]:
    """Return an amount as structured content; the arguments are those of ``amount_text``."""
    shown = round(spent.cost if cost is None else cost, DATA_DIGITS)
    return {"cost": shown, "tokens": {"input": int(spent.input), "output": int(spent.output)}}


def rounded_to_sum(amounts: "Sequence[float]", total: float, digits: int) -> list[float]:
    """Round amounts so that they add up to their rounded total.

    Args:
        amounts: The amounts, none of them negative.
        total: Their sum.
        digits: Decimals.
    """
    units = 10**digits
    whole = [int(amount * units) for amount in amounts]
    missing = round(total * units) - sum(whole)
    by_rest = sorted(range(len(amounts)), key=lambda place: whole[place] - amounts[place] * units)
    for place in by_rest[: max(missing, 0)]:
        whole[place] += 1
    return [number / units for number in whole]
