"""Search in OpenCode's files for the definition of an agent, a command, a model or a provider's credentials.

OpenCode reads these files when it first works in a directory, and not again by itself. This module reads them too, but
returns only the path of the file that defines the name, or the names of the MCP servers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.text.json_values import as_map, as_maps
from opencode_mcp.text.jsonc import read_jsonc

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.project_objects import Paths

DefinitionKind: TypeAlias = Literal["agent", "command", "model", "variant", "credential"]
LARGEST_FILE_BYTES = 1_000_000
"""Largest configuration file that is read, in bytes; a larger one defines nothing here."""
CONFIG_NAMES = ("opencode.json", "opencode.jsonc")
USER_NAMES = ("config.json", *CONFIG_NAMES)
SKILLS = ("skill/{}/SKILL.md", "skills/{}/SKILL.md")
MARKDOWN: Mapping[DefinitionKind, Sequence[str]] = {
    "agent": ("agent/{}.md", "agents/{}.md", "mode/{}.md", "modes/{}.md"),
    "command": ("command/{}.md", "commands/{}.md", *SKILLS),
}
"""Files in a folder of configuration, with the name in place of the braces. A skill is a command, too."""
OTHER_SKILLS: Mapping[DefinitionKind, Sequence[str]] = {
    "command": (".claude/skills/{}/SKILL.md", ".agents/skills/{}/SKILL.md"),
}
"""Files in a project, in the folders above it, and in the home directory."""
JSON_PATHS: Mapping[DefinitionKind, Sequence[str]] = {
    "agent": ("agent {}", "mode {}", "agents {}"),
    "command": ("command {}", "commands {}"),
    "model": ("provider {} models {}", "providers {} models {}"),
    "variant": ("provider {} models {} variants {}", "providers {} models {} variants {}"),
    "credential": ("provider {}",),
}
"""Keys in a configuration file, from the outermost to the innermost; those in the plural are OpenCode 2's.

OpenCode 2 has a list of variants, each with an id.
"""


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """Name that OpenCode does not know."""

    kind: DefinitionKind
    names: tuple[str, ...]
    """The name. For a model, its provider and itself; for a variant, those and itself."""


@dataclass(frozen=True, slots=True)
class DefiningFile:
    """File that defines a name."""

    path: Path
    is_user_settings: bool
    """True for the settings of the user, which OpenCode 1 reads only when it starts."""
    state: tuple[int, int]
    """Time of the last change in nanoseconds, and size: a changed file is worth another attempt."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders that OpenCode reads for a directory."""

    project: Sequence[Path]
    """The directory and those above it, up to the root of its repository."""
    home: Path
    config: Path
    """Folder of the user's configuration."""
    data: Path
    """Folder of the user's credentials."""
    named: Sequence[Path]
    """The file and the folder of configuration that the environment names."""

    @property
    def configuration(self) -> Iterator[Path]:
        """Yield the folders with agents, commands and further settings."""
        yield from (folder / ".opencode" for folder in (*self.project, self.home))
        yield self.config
        yield from self.named


def folders_of(paths: "Paths", environment: Mapping[str, str]) -> Folders:
    """Return the folders for a directory.

    Args:
        paths: OpenCode's own paths for the directory (``path.get``).
        environment: The environment of OpenCode.
    """
    directory, worktree = Path(paths.directory), Path(paths.worktree)
    # OpenCode 2 does not name the last two.
    home = Path(paths.home or environment.get("HOME") or Path.home())
    user = environment.get("XDG_CONFIG_HOME") or home / ".config"
    above = (folder for folder in directory.parents if folder.is_relative_to(worktree))
    data = environment.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Folders(
        project=(directory, *above),
        home=home,
        config=Path(paths.config) if paths.config else Path(user) / "opencode",
        data=Path(data) / "opencode",
        named=_named_in(environment),
    )


def _named_in(environment: Mapping[str, str]) -> list[Path]:
    """Return the file and the folder of configuration that the environment names."""
    named = [environment.get(name) for name in ("OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR")]
    return [Path(name) for name in named if name]


def find_definition(folders: Folders, query: DefinitionQuery) -> DefiningFile | None:
    """Find the file that defines a name; ``None`` if there is none. Reads files and may block.

    Args:
        folders: Folders to search.
        query: The name.
    """
    if not all(_is_plain(name) for name in query.names):
        return None
    for path in _markdown(folders, query):
        if state := _state(path):
            return DefiningFile(path, is_user_settings=False, state=state)
    for path, is_user_settings in _places(folders, query.kind):
        state = _state(path)
        if state and _defines(path, query):
            return DefiningFile(path, is_user_settings=is_user_settings, state=state)
    return None


def _is_plain(name: str) -> bool:
    """Return True if a name can be a part of a path and cannot lead to another folder."""
    parts = PurePath(name).parts
    return bool(parts) and ".." not in parts and not PurePath(name).is_absolute() and "\0" not in name


def _markdown(folders: Folders, query: DefinitionQuery) -> Iterator[Path]:
    name = query.names[0]
    for form in MARKDOWN.get(query.kind, ()):
        yield from (folder / form.format(name) for folder in folders.configuration)
    for form in OTHER_SKILLS.get(query.kind, ()):
        yield from (folder / form.format(name) for folder in (*folders.project, folders.home))


def mcp_servers_in(folders: Folders, keys: Sequence[str]) -> list[str]:
    """Return the names of the MCP servers in the settings files. Reads files and may block.

    Args:
        folders: Folders to search.
        keys: Keys of a settings file that lead to the servers, from the outermost on.
    """
    names: dict[str, None] = {}
    for path, _ in _settings(folders):
        value = _read(path)
        for key in keys:
            value = as_map(value).get(key)
        servers = as_map(value)
        # An entry without a type only changes one that another file defines.
        names |= dict.fromkeys(name for name in servers if as_map(servers[name]).get("type"))
    return [*names]


def _places(folders: Folders, kind: DefinitionKind) -> Iterator[tuple[Path, bool]]:
    """Yield the files that may define a name, each with True if it has the settings of the user."""
    if kind == "credential":
        yield folders.data / "auth.json", False
    yield from _settings(folders)


def _settings(folders: Folders) -> Iterator[tuple[Path, bool]]:
    """Yield the settings files, each with True if it has the settings of the user."""
    for folder in (*folders.project, *folders.configuration):
        if folder != folders.config:
            yield from ((folder / name, False) for name in CONFIG_NAMES)
    yield from ((path, False) for path in folders.named)
    yield from ((folders.config / name, True) for name in USER_NAMES)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> object:
    """Return the content of a settings file; ``None`` if there is none that can be read."""
    try:
        return read_jsonc(read_beginning(path, LARGEST_FILE_BYTES, follow=True).decode("utf-8-sig"))
    except (OSError, ValueError):
        return None


def _defines(path: Path, query: DefinitionQuery) -> bool:
    value = _read(path)
    if path.name == "auth.json":
        return _holds(value, query.names)
    return any(_holds(value, _keys(form, query.names)) for form in JSON_PATHS[query.kind])


def _keys(form: str, names: Sequence[str]) -> list[str]:
    left = iter(names)
    return [next(left) if key == "{}" else key for key in form.split()]


def _holds(value: object, keys: Sequence[str]) -> bool:
    for key in keys:
        members = _members(value)
        if key not in members:
            return False
        value = members[key]
    return True


def _members(value: object) -> Mapping[str, object]:
    """Return the members of an object by their keys, or those of a list of objects by their ids."""
    if isinstance(value, list):
        items = as_maps(cast("list[object]", value))
        return {str(item["id"]): item for item in items if "id" in item}
    return as_map(value)
