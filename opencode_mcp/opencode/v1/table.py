"""Table of the operations of OpenCode 1."""

from opencode_mcp.opencode.tables.operation_table import OperationTable, Texts
from opencode_mcp.opencode.v1.annotations import ANNOTATIONS
from opencode_mcp.opencode.v1.descriptions import ARGUMENTS, DESCRIPTIONS
from opencode_mcp.opencode.v1.preview_operations import INSTEAD

TABLE = OperationTable(
    1, Texts(annotations=ANNOTATIONS, descriptions=DESCRIPTIONS, arguments=ARGUMENTS, instead=INSTEAD)
)
