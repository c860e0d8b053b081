"""Amounts of money and tokens as text and as data. Pure.

Each amount is rounded by itself, so that the same one is shown alike everywhere.
"""

from typing import TYPE_CHECKING, Any

from opencode_mcp.text.quantities import money

if TYPE_CHECKING:
    from opencode_mcp.runs.session_history.spending import Spending

DATA_DIGITS = 6
"""Decimals of an amount in structured content."""


def tokens_text(spent: "Spending") -> str:
    """Return tokens as text; empty if there are none."""
    return f"{spent.input:,.0f} tokens in, {spent.output:,.0f} out" if spent.input or spent.output else ""


def amount_text(spent: "Spending") -> str:
    """Return an amount as text; tokens only if there are some."""
    return ", ".join(filter(None, [money(spent.cost), tokens_text(spent)]))


def known_amount_text(spent: "Spending", *, is_known: bool) -> str:
    """Return an amount as text; one that still grows, or lacks a part, is not shown as if it were whole."""
    if is_known:
        return amount_text(spent)
    return "cost not known" if spent.is_nothing else f"at least {amount_text(spent)}"


def amount_data(spent: "Spending") -> dict[str, Any]:
    """Return an amount as structured content."""
    tokens = {"input": int(spent.input), "output": int(spent.output)}
    return {"cost": round(spent.cost, DATA_DIGITS), "tokens": tokens}
