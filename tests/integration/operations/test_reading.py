"""Files and folders of every kind are read by the operations as OpenCode reads them, though each answer is compared."""

import base64
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.text.outside_text import clean
from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CONTENTS = {
    "plain.txt": b"one\r\ntwo\n\n",
    "mark.txt": b"\xef\xbb\xbfwith a mark\n",
    "blank.txt": b" \n\t\x1c x \x0b\n\xc2\xa0",
    "latin.txt": b"caf\xe9 \xff\xfe\xe2\x82 end \xf0\x9f\x98",
    "wide.txt": "wide".encode("utf-16"),
    "null.txt": b"a\0b",
    "picture.png": PNG,
    "picture.svg": b"<svg/>\n",
    "binary.bin": bytes(range(256)),
    "data.json": b'{"content": "x", "encoding": "base64"}\n',
    "text.json": b'"a text"\n',
    "broken.json": b"{",
    "page.html": b"<p>page</p>\n",
    "code.ts": b"export {}\n",
    "empty.txt": b"",
}


ODD_NAME = "na\nme \u2028\u202e.txt"
FAILING = {
    ("file.read", "latin.txt"): "OpenCode failed at file.read",
}
"""Errors of files that an operation cannot read: a text that is not UTF-8."""


@pytest.fixture(scope="module")
async def bridge(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> AsyncGenerator[tuple[Bridge, Path]]:
    place = tmp_path_factory.mktemp("reading")
    project = make_project(place / "project")
    for name, content in CONTENTS.items():
        (project / name).write_bytes(content)
    (project / ODD_NAME).touch()
    (project / "inner-link").symlink_to("docs")
    (project / "dangling").symlink_to("nowhere")
    async with open_bridge(attaching(place, scripted_model, opencode_server, project)) as bridge:
        yield bridge, project


async def read(bridge: Bridge, name: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
    result = await bridge.call("opencode_read_operation", operation=name, arguments=arguments)
    failing = FAILING.get((name, str(arguments["path"])))
    if failing:
        assert failing in text_of(result)
        return {}
    assert not result.is_error, f"{name} {arguments}: {text_of(result)}"
    return data_of(result)["reply"]


async def test_every_kind_of_file_and_folder_is_read(bridge: tuple[Bridge, Path]) -> None:
    host, project = bridge
    for name, content in CONTENTS.items():
        first = await read(host, "file.read", path=name)
        if first.get("encoding") == "base64":
            assert base64.b64decode(first["content"]) == content
        # Line ends and control characters are made harmless in every result.
        assert await read(host, "v2.fs.read", path=name) == clean(content.decode(errors="replace"))
    notes = (project / "docs" / "notes.txt").read_text(encoding="utf-8")
    for path in ("docs/notes.txt", "inner-link/notes.txt", str(project / "docs" / "notes.txt")):
        assert (await read(host, "file.read", path=path))["content"] == notes.strip()
    assert (await read(host, "file.read", path="nothing.txt"))["content"] == ""
    for path in (".", "docs", "inner-link"):
        assert await read(host, "file.list", path=path)
    assert (await read(host, "v2.fs.list", path="."))["data"]
    assert (await read(host, "v2.fs.list", path="docs"))["data"]
