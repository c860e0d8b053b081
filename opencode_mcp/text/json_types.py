"""Types of JSON data."""

from collections.abc import Mapping
from typing import Any, TypeAlias

JsonMap: TypeAlias = Mapping[str, Any]
"""A JSON object of a known form, whose fields are read without a check of their types."""
JsonObject: TypeAlias = Mapping[str, object]
"""A JSON object of which nothing is known."""
Schema: TypeAlias = Mapping[str, object]
"""A JSON Schema."""
