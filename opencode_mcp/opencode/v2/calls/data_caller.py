"""Calls of OpenCode 2's operations whose replies have their content under ``data``."""

from typing import Unpack

from opencode_mcp.opencode.operation_caller import CallArguments, OperationCaller
from opencode_mcp.opencode.v2 import conversions

DIFF_CONTEXT = 3
"""Unchanged lines around each change; without the argument a patch holds the whole file."""


class DataCaller(OperationCaller):
    """Caller of operations that unpacks their replies."""

    async def _data(self, operation_id: str, **arguments: Unpack[CallArguments]) -> object:
        """Call an operation, and return the content of its reply."""
        return conversions.data_of(await self.call(operation_id, **arguments))
