"""The skill follows the format of Agent Skills, and names only tools that there are."""

import re
from pathlib import Path

from opencode_mcp.server.resources.skill import skill_entry, skill_text
from opencode_mcp.server.tools import TOOLS
from opencode_mcp.server.uris import SKILL
from tests.harness.processes.isolation import ROOT

FILE = ROOT / "opencode_mcp" / "skills" / "opencode" / "SKILL.md"
LONGEST_DESCRIPTION = 1024
MOST_LINES = 500


def test_the_frontmatter_has_the_name_of_the_folder_and_a_description() -> None:
    front = skill_entry()["frontmatter"]
    assert front.keys() == {"name", "description"}
    assert front["name"] == FILE.parent.name == Path(SKILL).parent.name
    assert 0 < len(front["description"]) <= LONGEST_DESCRIPTION
    assert not any(mark in front["description"] for mark in (": ", " #", '"', "'")), "it is a plain text of YAML"


def test_the_file_is_served_as_it_is() -> None:
    assert skill_text().encode() == FILE.read_bytes()
    assert "\r" not in skill_text()
    assert len(skill_text().splitlines()) < MOST_LINES


def test_it_names_only_tools_that_are_listed_by_default() -> None:
    named = set(re.findall(r"`(opencode_[a-z_]+)", skill_text()))
    assert {"opencode_run", "opencode_wait", "opencode_diff"} <= named
    assert named <= {spec.name for spec in TOOLS} - {"opencode_shell"}
