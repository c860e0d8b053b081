"""Skills extension of MCP (SEP-2640): clients of the 2026-07-28 era list the skill and check what they read.

Other clients find it as a resource.
"""

from collections.abc import Sequence

from mcp.server.context import HandlerResult
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PaginatedRequestParams, RequestParams

from opencode_mcp.server.resources.skill import skill_entry
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.uris import SKILL
from opencode_mcp.server.waiting.call_context import MODERN_VERSIONS, McpRequestContext
from opencode_mcp.text.outside_text import one_line

IDENTIFIER = "io.modelcontextprotocol/skills"
TTL_MS = 3_600_000
"""Time for which a client may keep the entry, in milliseconds; the file changes only with the package."""
CACHE = {"resultType": "complete", "ttlMs": TTL_MS, "cacheScope": "public"}


class GetSkillParams(RequestParams):
    """Parameters of ``skills/get``."""

    uri: str


class Skills(Extension):
    """The extension for ``MCPServer``: ``skills/list`` and ``skills/get``."""

    identifier = IDENTIFIER

    def methods(self) -> Sequence[MethodBinding]:
        """Return the handlers of the two methods."""
        return [
            MethodBinding("skills/list", PaginatedRequestParams, self._list, MODERN_VERSIONS),
            MethodBinding("skills/get", GetSkillParams, self._get, MODERN_VERSIONS),
        ]

    async def _list(self, _ctx: McpRequestContext, _params: PaginatedRequestParams) -> HandlerResult:
        return {"skills": [skill_entry()], **CACHE}

    async def _get(self, _ctx: McpRequestContext, params: GetSkillParams) -> HandlerResult:
        if params.uri != SKILL:
            raise MCPError(INVALID_PARAMS, f"There is no skill {shown(one_line(params.uri))}. The skill is {SKILL}.")
        return {"skill": skill_entry(), **CACHE}
