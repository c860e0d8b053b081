"""Settings files that are no JSON are found, and those that OpenCode can read are not."""

from pathlib import Path

import pytest

from opencode_mcp.workspace.configuration.unreadable_settings import unreadable_settings


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [
        ('{"model": "a/b"}', False),
        ('{\n  // The model.\n  "model": "a/b",\n}', False),
        ('{"port": {env:PORT}, "key": "{file:~/key}"}', False),
        ("", False),
        ('{"model": "a/b"', True),
        ("model = a/b", True),
        ("\udcff", True),
    ],
)
@pytest.mark.parametrize("name", ["opencode.json", ".opencode/opencode.jsonc"])
def test_a_file_that_is_no_json_is_found(tmp_path: Path, name: str, text: str, *, is_broken: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, errors="surrogateescape", encoding="utf-8")
    assert list(unreadable_settings(tmp_path)) == ([path] if is_broken else [])


def test_a_directory_without_settings_has_none_that_are_broken(tmp_path: Path) -> None:
    assert list(unreadable_settings(tmp_path / "missing")) == []
