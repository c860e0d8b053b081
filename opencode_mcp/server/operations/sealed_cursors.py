"""Encryption of cursors of lists from which rows are removed: OpenCode's own name a row, perhaps a removed one."""

from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.tokens.token_codec import TokenCodec
from opencode_mcp.text.json_values import as_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.settings import Settings
    from opencode_mcp.text.json_types import JsonMap

SEALED: "Mapping[Generation, str]" = {1: "v2.session.list", 2: "session.list"}
"""Operation of each generation whose cursors name a session. Those of other lists are times."""
KIND = "cursor"
"""Kind of the tokens."""
FIELD = "cursor"
"""Name of the argument, and of the field of the reply that holds the cursors of the pages before and after it."""


class SealedCursors:
    """Cursors of one operation for the callers of a bridge.

    Args:
        operation: The operation.
        settings: Say whose the cursors are, and where the key is.
    """

    def __init__(self, operation: "Operation", settings: "Settings") -> None:
        self._are_sealed = SEALED[operation.generation] == operation.id
        self._codec = TokenCodec(settings.state_directory, settings.principal, settings.key_file)

    def opened(self, call: "SplitArguments") -> "SplitArguments":
        """Return a call with the cursor as OpenCode made it.

        Raises:
            InvalidArgument: The cursor is not one that this caller got.
        """
        given = call.query.get(FIELD)
        if not self._are_sealed or given is None:
            return call
        token = self._codec.unseal_data(KIND, str(given))
        if token is None:
            raise InvalidArgument(
                "The cursor is none of a page of this list that was read here.",
                hint="Leave it out to read the first page.",
            )
        return call._replace(query={**call.query, FIELD: token["cursor"]})

    def sealed(self, reply: object) -> object:
        """Return a reply with encrypted cursors."""
        cursors = as_map(as_map(reply).get(FIELD))
        if not self._are_sealed or not cursors:
            return reply
        sealed = {page: cursor and self._seal(cursor) for page, cursor in cursors.items()}
        return {**cast("JsonMap", reply), FIELD: sealed}

    def _seal(self, cursor: object) -> str:
        return self._codec.seal_data(KIND, {"cursor": cursor})
