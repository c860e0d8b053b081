"""Write docs/operations.md from the table of operations; a test holds that it is what this writes.

From the repository: ``python -m scripts.generate_operations_doc``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from opencode_mcp.opencode.operations.annotations import Group
from opencode_mcp.opencode.operations.arguments import arguments_of
from opencode_mcp.opencode.operations.catalog import Operation, opencode_version, operations

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
HEAD = """# Operations

Every operation of OpenCode's HTTP API that the bridge can call: {count}, as OpenCode {version} has them. This page is
generated from `opencode_mcp/opencode/operations/operations.json` and `annotations.py`; change those, then run
`python -m scripts.generate_operations_doc`.

An **effect** says what an operation does to the world, and is what an operator allows or refuses by:

| effect | what it does | operations |
|---|---|---|
| `read` | only reads | {read} |
| `write` | changes a session or what is shown, writes no file of the caller's choice, and runs nothing | {write} |
| `execute` | runs a command, a model or a tool, lets one go on, or writes files that decide what runs | {execute} |
| `admin` | changes configuration, credentials, providers, MCP servers or the server's life, or publishes | {admin} |

Path, query and body arguments are one flat object; those in **bold** are required. Nearly all operations also take
`directory`, the project to act in, and `workspace`; where an operation has a `directory` of its own, the project's is
`query_directory`. Those marked † destroy what cannot be brought back.
"""
TITLES = {"vcs": "Version control", "mcp": "MCP servers of OpenCode", "tui": "Terminal interface (TUI)"}
COLUMNS = "| operation | effect | what it does | arguments | call |\n|---|---|---|---|---|"


def page() -> str:
    """Give the page's text."""
    known = operations().values()
    counts = {effect: sum(item.effect == effect for item in known) for effect in ("read", "write", "execute", "admin")}
    head = HEAD.format(count=len(known), version=opencode_version(), **counts)
    return "\n".join([head, *(_section(group, known) for group in get_args(Group))])


def _section(group: str, known: Iterable[Operation]) -> str:
    rows = (_row(item) for item in known if item.group == group)
    return "\n".join([f"## {TITLES.get(group, group.capitalize())}", "", COLUMNS, *rows, ""])


def _row(item: Operation) -> str:
    mark = " †" if item.destructive else ""
    said = " ".join(filter(None, [_sentence(item.description or item.summary), item.note]))
    cells = (f"`{item.id}`{mark}", item.effect, said, _arguments(item), f"`{item.method} {item.path}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _arguments(item: Operation) -> str:
    own = {name: argument.required for name, argument in arguments_of(item).items() if argument.place != "scope"}
    return ", ".join(f"**`{name}`**" if required else f"`{name}`" for name, required in own.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"{PAGE.name} is written.")
