"""Calls of OpenCode 2's operations whose replies have their content under ``data``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opencode_mcp.opencode.operation_caller import OperationCaller
from opencode_mcp.opencode.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.v2 import conversions

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonObject

DIFF_CONTEXT = 3
"""Unchanged lines around each change; without the argument a patch holds the whole file."""


class DataCaller(OperationCaller):
    """Caller of operations that unpacks their replies."""

    async def _data(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: "JsonObject | None" = None,
        body: object = None,
        directory: str = "",
        timeout: float = READ_TIMEOUT_SECONDS,
    ) -> object:
        """Call an operation, and return the content of its reply."""
        return conversions.data_of(
            await self.call(operation_id, path=path, query=query, body=body, directory=directory, timeout=timeout)
        )
