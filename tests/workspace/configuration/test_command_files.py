"""Templates of slash commands are found in OpenCode's settings and folders."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.v2.conversions import command_sources_of
from opencode_mcp.workspace.configuration.command_files import find_templates
from opencode_mcp.workspace.configuration.command_template import COMMAND_CHARACTERS


def written(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_each_definition_of_a_command_is_found(tmp_path: Path) -> None:
    written(tmp_path / "a" / "command", "greet", "---\ndescription: x --- y\n---\nHello $1.\n---\nBye.\n")
    written(tmp_path / "b" / "commands", "greet", "Hello $2.")
    entries: list[object] = [
        {"type": "document", "info": {"commands": {"greet": {"template": "Hello."}, "other": {"template": "No."}}}},
        {"type": "directory", "path": str(tmp_path / "a")},
        {"type": "document", "info": {"command": {"greet": {"template": "Hi."}, "odd": {"template": 5}}}},
        {"type": "document", "info": {}},
        {"type": "directory", "path": str(tmp_path / "b")},
        {"type": "directory", "path": str(tmp_path / "missing")},
        {"type": "a later one"},
        "no entry",
    ]
    sources = command_sources_of(entries)
    assert find_templates(sources, "greet") == ["Hello.", "Hello $1.\n---\nBye.\n", "Hi.", "Hello $2."]
    assert find_templates(sources, "odd") == []


def test_a_command_in_a_folder_has_the_folder_in_its_name(tmp_path: Path) -> None:
    written(tmp_path / "command", "deep/down", "Deep.")
    assert find_templates(command_sources_of([{"type": "directory", "path": str(tmp_path)}]), "deep/down") == ["Deep."]


@pytest.mark.parametrize("name", ["", "../beside", "/etc/passwd", "nothing", "a\0b"])
def test_a_name_that_leads_elsewhere_has_no_template(tmp_path: Path, name: str) -> None:
    written(tmp_path, "beside", "Not a command.")
    sources = command_sources_of([{"type": "directory", "path": str(tmp_path)}])
    assert find_templates(sources, name) == []


def test_a_command_whose_file_cannot_be_read_as_a_whole_has_no_known_template(tmp_path: Path) -> None:
    sources = command_sources_of([{"type": "document", "info": {"commands": {"long": {"template": "Short."}}}}])
    assert find_templates(sources, "long") == ["Short."]
    written(tmp_path / "command", "long", "x" * (COMMAND_CHARACTERS + 1))
    sources += command_sources_of([{"type": "directory", "path": str(tmp_path)}])
    assert find_templates(sources, "long") == []
