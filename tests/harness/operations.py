"""Operations of OpenCode 1 by their ids, for tests that need one or all of them."""

from collections.abc import Mapping

from opencode_mcp.opencode.operation_catalog.catalog import V1
from opencode_mcp.opencode.tables.operation_table import Operation


def operations() -> Mapping[str, Operation]:
    """Return all operations by id, in the order of their ids."""
    return V1.operations


def operation(operation_id: str) -> Operation:
    """Return one operation.

    Raises:
        NotFound: No operation has that id.
    """
    return V1.operation(operation_id)
