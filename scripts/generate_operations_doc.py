"""Write docs/operations.md from the table of operations. A test checks that the page is current.

From the repository: ``python -m scripts.generate_operations_doc``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from opencode_mcp.opencode.annotation import Group
from opencode_mcp.opencode.operations.arguments import arguments_of
from opencode_mcp.opencode.operations.catalog import Operation, opencode_version, operations

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
HEAD = """# Operations

The bridge can call {count} operations of OpenCode's HTTP API, as of OpenCode {version}. This page is generated from
`operations.json`, `descriptions.py` and `annotations.py` in `opencode_mcp/opencode/v1/`; change those, then run
`python -m scripts.generate_operations_doc`.

Every operation has an **effect**, by which the operator allows or refuses it:

| effect | meaning | operations |
|---|---|---|
| `read` | only reads | {read} |
| `write` | changes a session or the display; writes no file of the caller's choice and runs nothing | {write} |
| `execute` | runs a command, a model or a tool, lets one go on, or writes files that decide what runs | {execute} |
| `admin` | changes configuration, credentials, providers or MCP servers, stops the server, or publishes | {admin} |

The arguments of path, query and body form one flat object; required ones are in **bold**. Nearly all operations also
take `directory`, the project to act in, and `workspace`. If an operation has its own `directory`, the project's is
`query_directory`. Operations marked † destroy something that cannot be restored.
"""
TITLES = {"vcs": "Version control", "mcp": "MCP servers of OpenCode", "tui": "Terminal interface (TUI)"}
COLUMNS = "| operation | effect | description | arguments | call |\n|---|---|---|---|---|"


def page() -> str:
    """Return the text of the page."""
    known = operations().values()
    counts = {effect: sum(item.effect == effect for item in known) for effect in ("read", "write", "execute", "admin")}
    head = HEAD.format(count=len(known), version=opencode_version(), **counts)
    return "\n".join([head, *(_section(group, known) for group in get_args(Group))])


def _section(group: str, known: Iterable[Operation]) -> str:
    rows = (_row(item) for item in known if item.group == group)
    return "\n".join([f"## {TITLES.get(group, group.capitalize())}", "", COLUMNS, *rows, ""])


def _row(item: Operation) -> str:
    mark = " †" if item.destructive else ""
    text = " ".join(filter(None, [item.description, item.note]))
    cells = (f"`{item.id}`{mark}", item.effect, text, _arguments(item), f"`{item.method} {item.path}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _arguments(item: Operation) -> str:
    own = {name: argument.required for name, argument in arguments_of(item).items() if argument.place != "scope"}
    return ", ".join(f"**`{name}`**" if required else f"`{name}`" for name, required in own.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"{PAGE.name} was written.")
