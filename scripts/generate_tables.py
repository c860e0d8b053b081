"""Generate the tables in the hand-written pages. A test checks that they are current.

From the repository: ``python -m scripts.generate_tables``.
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import cast

import anyio
from mcp import Client
from mcp_types import ListToolsResult
from pydantic import BaseModel

from opencode_mcp.options import OPTIONS, Option
from opencode_mcp.runs.outcome.run_report import ChangedFile, PendingRequest, RunReport
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.server.access.operations_of_tools import ONLY_IF_ALLOWED
from opencode_mcp.server.app import build_server
from opencode_mcp.server.definition.tool import ToolSpec
from opencode_mcp.server.resources.resources import RESOURCES
from opencode_mcp.server.results.duplicate_text import IN_TEXT
from opencode_mcp.server.results.host_settings import HOSTS as SETTINGS
from opencode_mcp.server.results.size_limit import NOTES_FIELD
from opencode_mcp.server.tools import TOOLS
from opencode_mcp.server.waiting.host_limits import HOSTS, UNKNOWN_HOST_SECONDS, HostProfile
from opencode_mcp.settings import Settings
from scripts.blocks import replace_block, table

ROOT = Path(__file__).parents[1]
ABOUT = re.compile(r"(serve(?: --http)?|service): ")
"""Beginning of a help text that is about one command or one value."""
DEFAULTS = {field.name: field.default for field in fields(Settings)}


def tools_table() -> str:
    """Return the table of the tools: description, arguments, and hints for the host."""
    return table(("tool", "what it does", "arguments", "effect"), [_tool_row(spec) for spec in TOOLS])


def _tool_row(spec: ToolSpec) -> tuple[str, ...]:
    parameters = spec.build().parameters
    required = cast("list[str]", parameters.get("required", []))
    names = [f"**`{name}`**" if name in required else f"`{name}`" for name in parameters["properties"]]
    return f"`{spec.name}`", _first_paragraph(inspect.getdoc(spec.handler) or ""), ", ".join(names), _effect(spec)


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _effect(spec: ToolSpec) -> str:
    if spec.read_only:
        return "reads"
    effect = "may destroy" if spec.destructive else "changes"
    needed = ONLY_IF_ALLOWED.get(spec.name)
    return f"{effect}; listed only with `--allow {needed[1]}` or `--allow execute`" if needed else effect


def settings_table() -> str:
    """Return the table of the settings: spellings and description."""
    return table(("flag", "environment", "settings file", "what it does"), [_option_row(option) for option in OPTIONS])


def _option_row(option: Option) -> tuple[str, ...]:
    flag = f"`{option.spelling}`" if option.variables else ""
    environment = " or ".join(f"`{name}`" for name in option.variables)
    return flag, environment, f"`{option.name}`", f"{_sentence(option.help)}{_default(option)}"


def _default(option: Option) -> str:
    """Return the default, if it is a word and not in the description."""
    value = DEFAULTS[option.name]
    worth_saying = isinstance(value, str) and value and "default" not in option.help
    return f" (default: `{value}`)" if worth_saying else ""


def _sentence(text: str) -> str:
    """Return a text that begins with a capital letter, or with the command or value that it is about, as code."""
    about = ABOUT.match(text)
    return f"`{about[1]}`: {text[about.end() :]}" if about else text[:1].upper() + text[1:]


def resources_table() -> str:
    """Return the table of the resources."""
    return table(("resource", "what it is"), [(f"`{spec.template}`", spec.description) for spec in RESOURCES])


ONCE = "the text"


def hosts_table() -> str:
    """Return the table of the hosts: how long calls wait, and where their models read long texts."""
    rows = [(f"`{host.name}`", f"{host.seconds:g} s", host.because, _long_texts(host)) for host in HOSTS]
    heads = ("host", "a call waits", "reason: it", "long texts are in")
    return table(heads, [*rows, ("any other", f"{UNKNOWN_HOST_SECONDS:g} s", "may cancel a call after 60 s", ONCE)])


def _long_texts(host: HostProfile) -> str:
    return "the text and the structured content" if host.data_alone else ONCE


def host_settings_table() -> str:
    """Return the table of the places where hosts keep the arguments of their MCP servers."""
    return table(("host", "place"), [(host.title, host.place) for host in SETTINGS])


BYTES_A_TOKEN = 4
TOOLSETS = ("default", "minimal")


def toolsets_table() -> str:
    """Return the table of the toolsets: how many tools a host lists, and the tokens that this takes."""
    return table(("`--toolsets`", "tools", "tokens"), [_toolset_row(name) for name in TOOLSETS])


def _toolset_row(name: str) -> tuple[str, ...]:
    listed = anyio.run(_listing, Settings(toolsets=(name,)))
    size = len(listed.model_dump_json(by_alias=True, exclude_none=True))
    return f"`{name}`", str(len(listed.tools)), f"about {round(size / BYTES_A_TOKEN, -2):,.0f}"


async def _listing(settings: Settings) -> ListToolsResult:
    async with Client(build_server(settings)) as client:
        return await client.list_tools()


PACKAGE = ROOT / "opencode_mcp"


def folders_table() -> str:
    """Return the table of the folders within layers: what each is about, as its package's docstring says."""
    packages = sorted(path.parent for path in PACKAGE.glob("*/*/**/__init__.py"))
    return table(("folder", "content"), [_folder_row(package) for package in packages])


def _folder_row(package: Path) -> tuple[str, str]:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    return f"`{package.relative_to(PACKAGE).as_posix()}/`", _first_paragraph(docstring).replace("``", "`")


def states_table() -> str:
    """Return the table of the states of a run, with the text that stands below each in the class."""
    texts = _texts_in(State)
    return table(("state", "meaning"), [(f"`{state}`", texts[state.name]) for state in State])


NOTES: Mapping[str, str] = {
    NOTES_FIELD: "What was left out, since the result would be too long.",
    IN_TEXT: "Fields that only the text of the result has, for hosts that show both.",
}
"""Fields that a result can have besides those of its model."""


def report_table() -> str:
    """Return the table of the fields of a report that a result contains."""
    return table(("field", "content"), [*_field_rows(RunReport), *((f"`{name}`", NOTES[name]) for name in NOTES)])


def file_table() -> str:
    """Return the table of the fields of a changed file."""
    return table(("field", "content"), _field_rows(ChangedFile))


def request_table() -> str:
    """Return the table of the fields of an open request."""
    return table(("field", "content"), _field_rows(PendingRequest))


def _field_rows(model: type[BaseModel]) -> list[tuple[str, str]]:
    """Return a row for each field that results contain."""
    texts = _texts_in(model)
    return [(f"`{name}`", texts[name]) for name, field in model.model_fields.items() if not field.exclude]


def _texts_in(described: type) -> dict[str, str]:
    """Return the texts that stand below the fields or values of a class, by name."""
    body = cast("ast.ClassDef", ast.parse(inspect.getsource(described)).body[0]).body
    texts: dict[str, str] = {}
    for statement, following in pairwise(body):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = _first_paragraph(text).replace("``", "`")
            case _:
                pass
    return texts


PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    ROOT / "README.md": {"tools": tools_table, "resources": resources_table, "settings": settings_table},
    ROOT / "docs" / "report.md": {"report": report_table, "file": file_table, "request": request_table},
    ROOT / "ARCHITECTURE.md": {"folders": folders_table, "state-meanings": states_table},
    ROOT / "docs" / "hosts.md": {
        "hosts": hosts_table,
        "host-settings": host_settings_table,
        "toolsets": toolsets_table,
    },
}


def renewed(path: Path) -> str:
    """Return a page with new tables."""
    text = path.read_text(encoding="utf-8")
    for name, content in PAGES[path].items():
        text = replace_block(text, name, content())
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page), encoding="utf-8", newline="\n")
        print(f"{page.name} is written.")
