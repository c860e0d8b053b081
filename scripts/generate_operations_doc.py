"""Write docs/operations.md and docs/operations2.md from the tables of operations. A test checks that they are current.

From the repository: ``python -m scripts.generate_operations_doc``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from opencode_mcp.opencode.operation_catalog.arguments import arguments_of
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2
from opencode_mcp.opencode.tables.annotation_types import Effect, Group
from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
from opencode_mcp.opencode.v1.annotations import SEPARATE_MESSAGES

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {DOCS / "operations.md": V1, DOCS / "operations2.md": V2}
"""The table of each page."""
BEGINNINGS = {
    V1: """# Operations

The bridge can call {count} operations of OpenCode 1's HTTP API, as of OpenCode {version}. Those that begin with `v2.`
belong to the next API of OpenCode 1, which is not that of OpenCode 2: see [operations2.md](operations2.md).""",
    V2: """# Operations of OpenCode 2

The bridge can call {count} operations of OpenCode 2's HTTP API, as of OpenCode {version}, if it is connected to an
OpenCode 2. The list comes from a client that was generated from the released API. The notes in the descriptions come
from that API and from measurements on a preview of OpenCode 2. None has been seen on a released one.""",
}
HEAD = """{beginning}

The tool `opencode_find_operations` finds an operation, `opencode_read_operation` calls one that only reads, and
`opencode_call_operation` any other. Every operation has an **effect**, by which the operator allows or refuses it:

| effect | meaning | operations |
|---|---|---|
| `read` | only reads | {read} |
| `write` | changes a session or the display; writes no file of the caller's choice and runs nothing | {write} |
| `execute` | runs a command, a model or a tool, lets one go on, or writes files that decide what runs | {execute} |
| `admin` | changes configuration, credentials, providers or MCP, stops, publishes, or answers with a secret | {admin} |

`read` and `write` are allowed unless `--deny` names them. With `--read-only`, only `read` is. `execute` and `admin`
need `--allow`. `--allow` and `--deny` take effects and ids of operations.

The arguments of path, query and body form one flat object. Required ones are in **bold**. Nearly all operations also
{scope}

Marks of operations:

- †: destroys something that cannot be restored.{marked}

This page is generated from `operations.json`, `descriptions.py` and `annotations.py` in `{folder}`.
To change it, change those files and run `python -m scripts.generate_operations_doc`.
"""
SCOPES = {
    V1: """take `directory`, the project to act in, and `workspace`. If an operation has its own `directory`, the
project's is `query_directory`.""",
    V2: """take `directory`, the project to act in. Those of a session do not: the session knows its directory.""",
}
STORAGE_MARK = "‡"
"""Mark of the operations with the note ``SEPARATE_MESSAGES``, which the page has once instead of in each of them."""
MARKED = {
    V1: f"""
- {STORAGE_MARK}: belongs to the next API, which stores messages apart. Operations
  of either API do not see the messages of the other.""",
    V2: "",
}
"""Lines about further marks."""
FOLDERS = {V1: "opencode_mcp/opencode/v1/", V2: "opencode_mcp/opencode/v2/"}
TITLES = {"vcs": "Version control", "mcp": "MCP servers of OpenCode", "tui": "Terminal interface (TUI)"}
COLUMNS = "| operation | effect | description | arguments | HTTP request |\n|---|---|---|---|---|"


def page(table: OperationTable) -> str:
    """Return the text of the page of one generation of OpenCode."""
    known = table.operations.values()
    groups = [group for group in get_args(Group) if any(item.group == group for item in known)]
    return "\n".join([_head(table), *(_section(group, known) for group in groups)])


def _head(table: OperationTable) -> str:
    known = table.operations.values()
    counts = {effect: sum(item.effect == effect for item in known) for effect in get_args(Effect)}
    beginning = BEGINNINGS[table].format(count=len(known), version=table.version)
    return HEAD.format(beginning=beginning, folder=FOLDERS[table], scope=SCOPES[table], marked=MARKED[table], **counts)


def _section(group: str, known: Iterable[Operation]) -> str:
    rows = (_row(item) for item in known if item.group == group)
    return "\n".join([f"## {TITLES.get(group, group.capitalize())}", "", COLUMNS, *rows, ""])


def _row(item: Operation) -> str:
    note = item.note.replace(SEPARATE_MESSAGES, "").strip()
    text = " ".join(filter(None, [item.description, note]))
    cells = (f"`{item.id}`{_marks(item)}", item.effect, text, _arguments(item), f"`{item.method} {item.path}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _marks(item: Operation) -> str:
    """Return the marks behind the id of an operation."""
    destroys = " †" if item.destructive else ""
    return f"{destroys} {STORAGE_MARK}" if SEPARATE_MESSAGES in item.note else destroys


def _arguments(item: Operation) -> str:
    own = {name: argument.required for name, argument in arguments_of(item).items() if argument.place != "scope"}
    return ", ".join(f"**`{name}`**" if required else f"`{name}`" for name, required in own.items())


if __name__ == "__main__":
    for file, described in PAGES.items():
        file.write_text(page(described), encoding="utf-8", newline="\n")
        print(f"{file.name} was written.")
