"""Base of the data classes for OpenCode's JSON, and the parsing of lists.

Parsing is tolerant: unknown fields are kept, and unknown types of parts and states become ``UnknownPart`` and plain
text. So a newer OpenCode causes less detail and no failures.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Self, TypeVar, cast

from pydantic import BaseModel, ValidationError, model_validator

from opencode_mcp.errors import BackendFailed

In = TypeVar("In")
Out = TypeVar("Out")


def to_opencode(name: str) -> str:
    """Return a field's name in OpenCode's spelling: ``session_id`` is ``sessionID``, ``mime_type`` is ``mimeType``."""
    first, *rest = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


def read_each(read: Callable[[In], Out], values: Iterable[In]) -> list[Out]:
    """Parse values one by one; one that cannot be parsed is dropped, so that it does not affect the others.

    Raises:
        BackendFailed: None of them can be parsed.
    """
    entries: list[Out] = []
    failures: list[BackendFailed] = []
    for value in values:
        try:
            entries.append(read(value))
        except BackendFailed as error:
            failures.append(error)
    if failures and not entries:
        raise failures[0]
    return entries


class Wire(BaseModel, alias_generator=to_opencode, populate_by_name=True, extra="allow"):
    """JSON object from OpenCode."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Parse one object.

        Raises:
            BackendFailed: A field is missing that every known OpenCode sends.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, detail["loc"])) or "itself" for detail in error.errors()}))
            raise BackendFailed(f"OpenCode sent a {cls.__name__} of an unknown form ({fields}).") from error

    @classmethod
    def read_list(cls, value: object) -> list[Self]:
        """Parse an array of objects; an entry that cannot be parsed is dropped, so that it does not affect the others.

        Raises:
            BackendFailed: The value is not an array, or none of its entries can be parsed.
        """
        if not isinstance(value, list):
            raise BackendFailed(f"OpenCode sent no list of {cls.__name__}.")
        return read_each(cls.read, cast("list[object]", value))


class ConfiguredObject(Wire):
    """Object that a project's files define; OpenCode writes null for fields that they leave out."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: item for name, item in cast("Mapping[str, object]", value).items() if item is not None}
