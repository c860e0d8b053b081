"""Each operation that a search finds and that is not allowed says what it needs."""

import pytest

from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.operations.found_operations import SHOWN_WHOLE, FoundOperations
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import text_of

SETTINGS = (Settings(), Settings(read_only=True), Settings(missing_scopes={"execute": "opencode:execute"}))


@pytest.mark.parametrize("generation", TABLES)
@pytest.mark.parametrize("settings", SETTINGS)
def test_each_hit_that_is_not_allowed_says_what_it_needs(settings: Settings, generation: Generation) -> None:
    operations = [*TABLES[generation].operations.values()]
    for first in range(0, len(operations), SHOWN_WHOLE):
        page = operations[first : first + SHOWN_WHOLE]
        shown = FoundOperations(page, AllowedOperations(settings), unlisted=()).result(())
        assert shown.structured_content
        hits = shown.structured_content["operations"]
        assert [hit["id"] for hit in hits if hit["allowed"] == ("needs" in hit)] == []
        assert text_of(shown).count("\nneeds: ") == sum(not hit["allowed"] for hit in hits)
