"""Table of the operations of OpenCode 2."""

from opencode_mcp.opencode.tables.operation_table import OperationTable, Texts
from opencode_mcp.opencode.v2.annotations import ANNOTATIONS
from opencode_mcp.opencode.v2.descriptions import ARGUMENTS, DESCRIPTIONS

TABLE = OperationTable(2, Texts(annotations=ANNOTATIONS, descriptions=DESCRIPTIONS, arguments=ARGUMENTS))
