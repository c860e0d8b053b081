"""The skill: guidance on the tools for agents, which is too long for the server's instructions.

The file ``skills/opencode/SKILL.md`` of the package can also be copied to a host's folder of skills.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

from opencode_mcp.server.uris import SKILL

FILE = Path(__file__).parents[2] / "skills" / "opencode" / "SKILL.md"
FRONTMATTER_MARK = "---\n"


def skill_text() -> str:
    """Return the text of the skill."""
    return FILE.read_bytes().decode()


def skill_entry() -> dict[str, Any]:
    """Return the entry of the skill as the extension defines it: its frontmatter, and the digest of its file."""
    text = skill_text()
    data = text.encode()
    file = {"uri": SKILL, "digest": f"sha256:{sha256(data).hexdigest()}", "size": len(data)}
    return {"uri": SKILL, "frontmatter": _frontmatter(text), "resources": [file]}


def _frontmatter(text: str) -> dict[str, str]:
    """Read the frontmatter, which has one plain text in each line."""
    _, head, _ = text.split(FRONTMATTER_MARK, 2)
    lines = (line.partition(": ") for line in head.splitlines())
    return {name: value for name, _, value in lines}
