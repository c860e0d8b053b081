"""The skill over MCP: by the skills extension in the era that has it, and as a resource in both."""

from hashlib import sha256

import pytest
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND

from opencode_mcp.server.resources.skills_extension import IDENTIFIER
from opencode_mcp.server.uris import SKILL
from tests.harness.bridges.rawrpc import Host, OpenRaw

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_client_lists_the_skill_gets_it_and_checks_what_it_reads(raw_bridge: OpenRaw) -> None:
    async with raw_bridge(Host("2026-07-28")) as client:
        declared = (await client.request("server/discover"))["result"]["capabilities"]
        assert IDENTIFIER in declared["extensions"]
        assert "resources" in declared
        listed = (await client.request("skills/list"))["result"]
        assert listed["resultType"] == "complete"
        assert (listed["cacheScope"], listed["ttlMs"] > 0) == ("public", True)
        (entry,) = listed["skills"]
        got = (await client.request("skills/get", {"uri": SKILL}))["result"]
        assert got["skill"] == entry
        (file,) = entry["resources"]
        assert file["uri"] == entry["uri"] == SKILL
        read = (await client.request("resources/read", {"uri": SKILL}))["result"]["contents"][0]
        data = read["text"].encode()
        assert file == {"uri": SKILL, "digest": f"sha256:{sha256(data).hexdigest()}", "size": len(data)}
        assert read["mimeType"] == "text/markdown"
        for wrong in ("skill://other/SKILL.md", "skill://opencode", ""):
            refused = await client.request("skills/get", {"uri": wrong})
            assert refused["error"]["code"] == INVALID_PARAMS, wrong


async def test_a_client_of_the_other_era_finds_the_skill_as_a_resource(raw_bridge: OpenRaw) -> None:
    async with raw_bridge(Host("2025-11-25")) as client:
        assert (await client.request("skills/list"))["error"]["code"] == METHOD_NOT_FOUND
        resources = (await client.request("resources/list"))["result"]["resources"]
        assert SKILL in {item["uri"] for item in resources}
        templates = (await client.request("resources/templates/list"))["result"]["resourceTemplates"]
        assert SKILL not in {item["uriTemplate"] for item in templates}
        read = (await client.request("resources/read", {"uri": SKILL}))["result"]["contents"][0]
        assert read["text"].startswith("---\nname: opencode\n")
