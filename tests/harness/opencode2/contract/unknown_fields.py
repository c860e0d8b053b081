"""Fields of a reply that the models of the released contract do not know."""

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import BaseModel

OPEN = frozenset({"ModelSettings", "ProviderSettings", "ConfigModelSettings", "ConfigProviderSettings"})
"""Models that hold whatever the package of a provider takes."""


def unknown_fields(value: object, place: str = "") -> list[str]:
    """List the fields and variants in a parsed reply that its models do not name.

    Args:
        value: A model, or something with models in it.
        place: Its place in the reply.
    """
    return sorted(set(_unknown(value, place)))


def _unknown(value: object, place: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _unknown_in(value, place)
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[object, object]", value).items():
            yield from _unknown(item, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from _unknown(item, f"{place}[]")


def _unknown_in(model: BaseModel, place: str) -> Iterator[str]:
    name = type(model).__name__
    if name.startswith("Unknown"):
        yield f"{place}: {name}"
    elif name not in OPEN:
        for field in model.model_extra or ():
            yield f"{place}: {name}.{field}"
    for field in type(model).model_fields:
        yield from _unknown(getattr(model, field), f"{place}.{field}")
