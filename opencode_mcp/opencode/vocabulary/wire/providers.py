"""Providers and the models that they offer."""

from typing import Any

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire
from opencode_mcp.text.json_values import as_map, as_number


class ProviderModel(Wire):
    """Model that a provider offers."""

    id: str
    name: str = ""
    variants: dict[str, Any] = Field(default_factory=dict)
    cost: object = None
    limit: object = None

    @property
    def price(self) -> tuple[float, float] | None:
        """Return the price of a million tokens in and out, in dollars; ``None`` if it is unknown."""
        cost = as_map(self.cost)
        read, written = as_number(cost.get("input")), as_number(cost.get("output"))
        return None if read is None or written is None else (read, written)

    @property
    def context(self) -> int:
        """Return the size of the context in tokens; 0 if it is unknown."""
        return int(as_number(as_map(self.limit).get("context")) or 0)


class Provider(Wire):
    """Provider; its options, which hold keys, are never read."""

    id: str
    name: str = ""
    models: dict[str, ProviderModel] = Field(default_factory=dict[str, ProviderModel])


class Providers(Wire):
    """Answer of ``provider.list``, or of ``config.providers``, which has only ``providers`` and ``default``."""

    all: list[Provider] = Field(default_factory=list[Provider])
    providers: list[Provider] = Field(default_factory=list[Provider])
    default: dict[str, str] = Field(default_factory=dict[str, str])
    connected: list[str] = Field(default_factory=list[str])

    @property
    def usable(self) -> list[str]:
        """Return the models whose providers have credentials, as ``provider/model``."""
        return list(self.usable_models)

    @property
    def usable_models(self) -> dict[str, ProviderModel]:
        """Return the models whose providers have credentials, by ``provider/model``."""
        connected = [item for item in self.all if item.id in self.connected]
        return {f"{item.id}/{name}": model for item in connected for name, model in item.models.items()}
