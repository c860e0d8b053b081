"""Tables of OpenCode's operations by generation, and the search for the operation that a caller named.

A caller may know an id of the other generation: from documentation, from examples, or from a server that was used
before. The error then says what the generation in use has in its place.
"""

from collections.abc import Mapping

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
from opencode_mcp.opencode.v1.table import TABLE as V1
from opencode_mcp.opencode.v2 import replacements
from opencode_mcp.opencode.v2.table import TABLE as V2
from opencode_mcp.opencode.versions import Generation

TABLES: Mapping[Generation, OperationTable] = {1: V1, 2: V2}
"""Table of each generation of OpenCode."""


def table_of(generation: Generation) -> OperationTable:
    """Return the operations of one generation of OpenCode."""
    return TABLES[generation]


def named_operation(table: OperationTable, operation_id: str) -> Operation:
    """Return the operation of a table that a caller named.

    Raises:
        NotFound: The table has no operation with this id. The hint names the one that replaces it, if the other
            generation of OpenCode has the id, else similar ids.
    """
    try:
        return table.operation(operation_id)
    except NotFound as error:
        error.hint = _advice(table, operation_id) or error.hint
        raise


def difference(operation: Operation) -> str:
    """Return how an operation of OpenCode 2 differs from that of OpenCode 1 with the same id; empty if it does not."""
    return replacements.advice(operation.id) if operation.generation == V2.generation else ""


def _advice(table: OperationTable, operation_id: str) -> str:
    """Return what to use in place of an operation of the other generation; empty if the other has no such id."""
    if table.generation == V2.generation:
        return replacements.advice(operation_id)
    return f"{operation_id} is an operation of OpenCode 2; this is OpenCode 1." if operation_id in V2.operations else ""
