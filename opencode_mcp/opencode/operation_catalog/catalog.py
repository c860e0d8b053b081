"""Tables of OpenCode's operations by generation, and the search for the operation that a caller named.

A caller may know an id of the other generation: from documentation, from examples, or from a server that was used
before. The error then says what the generation in use has in its place.
"""

from collections.abc import Mapping, Sequence

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operation_catalog import operation_search
from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
from opencode_mcp.opencode.v1.table import TABLE as V1
from opencode_mcp.opencode.v2 import replacements
from opencode_mcp.opencode.v2.table import TABLE as V2
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.text.similar_names import similar_names

TABLES: Mapping[Generation, OperationTable] = {1: V1, 2: V2}
"""Table of each generation of OpenCode."""


def table_of(generation: Generation) -> OperationTable:
    """Return the operations of one generation of OpenCode."""
    return TABLES[generation]


def named_operation(table: OperationTable, operation_id: str) -> Operation:
    """Return the operation of a table that a caller named.

    Raises:
        NotFound: The table has no operation with this id. The hint names the one that replaces it, if the other
            generation of OpenCode has the id, else operations that the words of the id describe, else similar ids.
    """
    try:
        return table.operation(operation_id)
    except NotFound as error:
        error.hint = advice(table, operation_id) or _suggestion(alternatives(table, operation_id))
        raise


def alternatives(table: OperationTable, operation_id: str) -> Sequence[str]:
    """Return ids of a table that can be used in place of one that it lacks, the best first."""
    if replacing := _replacing(table, operation_id):
        return replacing
    if any(operation_id in other.operations for other in TABLES.values()):
        return ()
    return operation_search.suggested_ids(table, operation_id) or similar_names(operation_id, table.operations)


def difference(operation: Operation) -> str:
    """Return how an operation of OpenCode 2 differs from that of OpenCode 1 with the same id; empty if it does not."""
    return replacements.advice(operation.id) if operation.generation == V2.generation else ""


def lacking(table: OperationTable, words: str) -> str:
    """Return the operation of OpenCode 1 that fits some words best, if OpenCode 2 has none like it; empty otherwise.

    Args:
        table: The operations of the generation in use.
        words: The query.
    """
    if table.generation != V2.generation:
        return ""
    old, new = _best(V1, words), _best(table, words)
    found = replacements.replacement(old.id) if old else None
    is_better = operation_search.words_met(V1, old, words) > operation_search.words_met(table, new, words)
    return old.id if old and found and not found.operations and is_better else ""


def _best(table: OperationTable, words: str) -> Operation | None:
    return next(iter(operation_search.search(table, words, limit=1)), None)


def _replacing(table: OperationTable, operation_id: str) -> tuple[str, ...]:
    """Return the operations of a table that do what an operation of the other generation does."""
    if table.generation == V2.generation:
        found = replacements.replacement(operation_id)
        return found.operations if found else ()
    return replacements.replaced_by(operation_id)


def advice(table: OperationTable, operation_id: str) -> str:
    """Return what to use in place of an operation of the other generation; empty if the other has no such id."""
    if table.generation == V2.generation:
        return replacements.advice(operation_id)
    if operation_id not in V2.operations:
        return ""
    instead = " or ".join(_replacing(table, operation_id))
    return f"{operation_id} is an operation of OpenCode 2; " + (
        f"OpenCode 1 has {instead} instead." if instead else "this is OpenCode 1."
    )


def _suggestion(ids: Sequence[str]) -> str:
    return f"Did you mean {' or '.join(ids)}?" if ids else "Search for it by words instead."
