"""Models without a known price: OpenCode counts no cost for them, so ``max_cost`` cannot stop their runs. Pure."""

from opencode_mcp.opencode.vocabulary.wire.providers import Providers


def unknown_cost(providers: Providers, model: str) -> str:
    """Return a sentence if the cost of a model cannot be watched; empty if it can, or if the model is unknown.

    OpenCode counts nothing for a model without a price. That is right for a local model, and wrong for others.

    Args:
        providers: The providers with their models.
        model: As ``provider/model``; empty if it is not known yet.
    """
    found = providers.usable_models.get(model)
    if found is None or (found.price and any(found.price)):
        return ""
    return (
        f"max_cost cannot be watched: OpenCode knows no price of {model} and counts 0 USD for it. "
        "max_minutes and max_steps work with every model."
    )
