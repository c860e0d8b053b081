"""File store of saved responses: a few private files in the state folder, each with one response of the SDK.

Their content is not trusted. The folder is refused if anybody else could write to it, as the rest of the state folder
is. A file is used only if it has the requested key and a correct checksum, and if the response has the form of its
method.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NoReturn, cast

from opencode_mcp import __version__
from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.disk.state_folder import check_folder, prepare_folder, replace_private
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.server.stdio.front.request_keys import DISCOVER, INITIALIZE, LIST_TOOLS
from opencode_mcp.text.json_types import JsonObject

FOLDER = "responses"
SUFFIX = ".json"
MOST_FILES = 32
"""Limit of files. Each combination of host, protocol version and settings in use needs two."""
LARGEST = 1024 * 1024
"""Limit of a file, in bytes. The list of all tools takes some 150 KB."""
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


class SavedResponses:
    """Saved responses of one state folder.

    Args:
        state: The state folder.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._loaded: dict[str, bytes] = {}

    def load(self) -> None:
        """Read all files into memory; none if the folder is missing or cannot be trusted.

        This is done early and for all files: each access to a file takes long while another thread imports modules.
        """
        with suppress(OSError, InvalidSetting):
            check_folder(self._folder)
            for path in self._files()[:MOST_FILES]:
                self._load(path)

    def _load(self, path: Path) -> None:
        # A link, or a file that another bridge has removed meanwhile.
        with suppress(OSError):
            self._loaded[path.stem] = read_beginning(path, LARGEST + 1)

    def find(self, key: str) -> JsonObject | None:
        """Return the loaded response with a key, or None if there is none that can be used."""
        content = self._loaded.get(key, b"")
        if not 0 < len(content) <= LARGEST:
            return None
        try:
            return _checked(key, content)
        except (ValueError, RecursionError):
            return None

    def save(self, key: str, result: JsonObject) -> None:
        """Write a response, and remove the oldest files above the limit.

        Raises:
            OSError: It cannot be written.
            InvalidSetting: The state folder cannot be used.
        """
        content = json.dumps({"key": key, "checksum": _checksum(result), "result": result}).encode()
        if len(content) > LARGEST or not _has_form(key, result):
            return
        prepare_folder(self._folder)
        replace_private(self._folder / f"{key}{SUFFIX}", content)
        for path in self._files()[MOST_FILES:]:
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """Return the files, the newest first."""
        dated: list[tuple[int, Path]] = []
        for path in self._folder.iterdir():
            # Another bridge may have removed it meanwhile.
            with suppress(FileNotFoundError):
                dated.append((path.lstat().st_mtime_ns, path))
        return [path for _, path in sorted(dated, reverse=True)]


def _checked(key: str, content: bytes) -> JsonObject:
    """Parse the content of a file.

    Raises:
        ValueError: It is not a saved response with this key.
    """
    saved: object = json.loads(content.decode(), parse_constant=_refuse)
    fields = _object(saved)
    response = _object(fields.get("result"))
    is_whole = fields == {"key": key, "checksum": _checksum(response), "result": response}
    if not is_whole or not _has_form(key, response):
        raise ValueError("not a saved response with this key")
    return response


def _object(value: object) -> JsonObject:
    """Return the value itself, or an empty object if it is of another kind."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _checksum(result: JsonObject) -> str:
    return sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()


def _has_form(key: str, result: JsonObject) -> bool:
    """Return True if a response has the form of the method that its key names."""
    method = key.rpartition("-")[0].replace("-", "/")
    return method in FORMS and FORMS[method](result)


def _is_initialize(result: JsonObject) -> bool:
    return isinstance(result.get("protocolVersion"), str) and _names_us(result.get("serverInfo")) and _offers(result)


def _is_discover(result: JsonObject) -> bool:
    named = _names_us(_object(result.get("_meta")).get(SERVER_INFO))
    return named and isinstance(result.get("supportedVersions"), list) and _offers(result)


def _offers(result: JsonObject) -> bool:
    return isinstance(result.get("capabilities"), dict) and isinstance(result.get("instructions", ""), str)


def _names_us(info: object) -> bool:
    return _object(info).get("version") == __version__


def _is_list_of_tools(result: JsonObject) -> bool:
    tools = result.get("tools")
    return isinstance(tools, list) and all(map(_is_tool, cast("list[object]", tools)))


def _is_tool(value: object) -> bool:
    tool = _object(value)
    return isinstance(tool.get("name"), str) and isinstance(tool.get("inputSchema"), dict)


FORMS: Mapping[str, Callable[[JsonObject], bool]] = {
    INITIALIZE: _is_initialize,
    DISCOVER: _is_discover,
    LIST_TOOLS: _is_list_of_tools,
}
