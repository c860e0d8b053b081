"""Amounts of money and tokens as text and as data. Pure."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opencode_mcp.runs.sessions.spending import Spending


def amount_text(spent: "Spending") -> str:
    """Return an amount as text; tokens only if there are some."""
    tokens = f", {spent.input:,.0f} tokens in, {spent.output:,.0f} out" if spent.input or spent.output else ""
    return f"${spent.cost:.4f}{tokens}"


def amount_data(spent: "Spending") -> dict[str, Any]:
    """Return an amount as structured content."""
    return {"cost": round(spent.cost, 6), "tokens": {"input": int(spent.input), "output": int(spent.output)}}
