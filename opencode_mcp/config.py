"""What the operator decides, gathered once: flags over environment over settings file over defaults.

This is the only module that reads the environment. The stages are plain functions: ``read_environment`` and
``read_file`` give what was said by option name, ``resolve`` checks it and makes the frozen ``Settings`` that every
other module receives.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import OPTIONS, STOP_AFTER, Decider, LogLevel, Option, Rules

DEPTH_VARIABLE = "OPENCODE_MCP_DEPTH"
"""Set in what a started OpenCode runs: how many bridges are above it."""
INSIDE_VARIABLE = "OPENCODE_MCP_INSIDE"
"""Set there, too: the folder with the record of that OpenCode."""
LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
Said = dict[str, object]
"""What one stage says, by option name; what it does not say is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set. Build it with ``resolve``; a test may build it directly."""

    url: str = ""
    """Base URL of an OpenCode server to attach to; empty: find or start one."""
    username: str = "opencode"
    """User name for OpenCode's HTTP basic authentication."""
    password: str = field(default="", repr=False)
    """Password for OpenCode's HTTP basic authentication; empty: none."""
    directories: tuple[str, ...] = ()
    """Projects that callers may work in, each with all below it: paths, or patterns of them; the first path is the
    default."""
    started_in: Path = field(default_factory=lambda: working_directory(os.environ))
    """Where the bridge was started; kept, since the folder may go away later. A relative path: nowhere."""
    model: str = ""
    """Model for runs that name none, as ``provider/model``; empty: OpenCode's default."""
    agent: str = ""
    """Agent for runs that name none; empty: OpenCode's default."""
    opencode: str = ""
    """Path of the ``opencode`` executable; empty: look for it."""
    permissions: Decider = "human"
    """Who answers permissions that no rule is for."""
    permission_rules: Rules = field(default_factory=dict[str, Mapping[str, Decider]])
    """Who answers which kind of permission."""
    wait: float | None = None
    """Seconds that a call waits when it says nothing itself; ``None``: what the host is known to bear."""
    abort_on_cancel: bool = False
    """Whether cancelling a waiting call stops its run."""
    toolsets: tuple[str, ...] = ("default",)
    """Which tools are listed."""
    read_only: bool = False
    """Whether only what reads is listed and allowed."""
    allow: tuple[str, ...] = ()
    """Operations that may be called besides reads and writes, by id or effect."""
    deny: tuple[str, ...] = ()
    """Operations that may not be called, by id or effect; it outweighs ``allow``."""
    log_level: LogLevel = "WARNING"
    """How much goes to stderr."""
    stop_after: float = STOP_AFTER
    """Seconds without any bridge after which a started OpenCode is ended, even if it works on something."""
    max_depth: int = 1
    """How many times work may be passed on: with 1, no OpenCode that a bridge started uses a bridge itself."""
    depth: int = 0
    """How many bridges are above this one: more than 0 in an OpenCode that a bridge started."""
    inside: str = ""
    """The folder with the record of the OpenCode in which this bridge runs."""
    state_directory: Path = Path()
    """Where the shared server's state file and lock live."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The environment that a spawned OpenCode inherits."""

    @property
    def attached(self) -> bool:
        """Whether the operator named a server, so that the bridge neither starts nor stops one."""
        return bool(self.url)

    @property
    def remote(self) -> bool:
        """Whether OpenCode may see another file system than the bridge does."""
        return self.attached and urlsplit(self.url).hostname not in LOOPBACK_NAMES


def read_environment(environment: Mapping[str, str]) -> Said:
    """Take the options that the environment sets."""
    said: Said = {}
    for option in OPTIONS:
        value = next((environment[name] for name in option.variables if environment.get(name)), "")
        if value:
            said[option.name] = _items(value, option) if option.kind == "list" else value
    return said


def _items(value: str, option: Option) -> list[str]:
    return [item.strip() for item in value.split(option.separator) if item.strip()]


def read_file(path: Path) -> Said:
    """Take the options that a TOML settings file sets; a missing file sets none.

    Raises:
        InvalidSetting: The file is not TOML, or has a key that no option has.
    """
    if not path.is_file():
        return {}
    import tomllib  # most starts have no settings file, and this costs them 5 ms

    try:
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} is not a TOML file: {error}.") from error
    known = [option.name for option in OPTIONS]
    for key in loaded:
        if key not in known:
            raise InvalidSetting(f"{path} sets {key!r}.", hint=f"The settings are: {', '.join(known)}.")
    return loaded


def resolve(flags: Said, environment: Mapping[str, str] | None = None) -> Settings:
    """Merge the stages and check them.

    Args:
        flags: What the command line says.
        environment: Stands in for the process's own environment in tests.

    Raises:
        InvalidSetting: A value is not of its form; the text says which, and what would be right.
    """
    environment = os.environ if environment is None else environment
    said = read_file(settings_file(environment)) | read_environment(environment) | flags
    checked: dict[str, Any] = {
        option.name: _read(option, said[option.name]) for option in OPTIONS if option.name in said
    }
    return Settings(
        **checked,
        depth=_depth(environment),
        inside=environment.get(INSIDE_VARIABLE, ""),
        state_directory=state_directory(environment),
        environment=dict(environment),
    )


def _depth(environment: Mapping[str, str]) -> int:
    told = environment.get(DEPTH_VARIABLE, "0")
    # Whoever set it to something else did not mean that this is the first bridge.
    return int(told) if told.isdecimal() else 1


def _read(option: Option, value: object) -> object:
    try:
        return option.read(value)
    except InvalidSetting as error:
        named = f"{option.spelling} ({', '.join(option.variables) or option.name})"
        raise InvalidSetting(f"{named} is wrong: {error.message}", hint=error.hint) from error


def settings_file(environment: Mapping[str, str]) -> Path:
    """Where the settings file is looked for: ``OPENCODE_MCP_CONFIG``, else the user's configuration folder."""
    named = environment.get("OPENCODE_MCP_CONFIG")
    return Path(named) if named else _user_folder(environment, "XDG_CONFIG_HOME", "APPDATA", ".config") / "config.toml"


def state_directory(environment: Mapping[str, str]) -> Path:
    """Where the bridge keeps its state: ``OPENCODE_MCP_STATE``, else the user's state folder.

    Raises:
        InvalidSetting: The path is relative: the password of the shared server would be written into a project.
    """
    named = environment.get("OPENCODE_MCP_STATE")
    path = Path(named) if named else _user_folder(environment, "XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")
    if not path.is_absolute():
        raise InvalidSetting(f"OPENCODE_MCP_STATE is wrong: {str(path)!r} is relative.", hint="Give an absolute path.")
    return path


def working_directory(environment: Mapping[str, str]) -> Path:
    """The directory that the process works in; what ``PWD`` says where that is deleted already."""
    try:
        return Path.cwd()
    except OSError:
        return Path(environment.get("PWD", ""))


def _user_folder(environment: Mapping[str, str], xdg: str, windows: str, fallback: str) -> Path:
    base = Path(environment.get(windows if sys.platform == "win32" else xdg) or ".")
    # The XDG specification has relative paths ignored.
    if not base.is_absolute():
        base = Path(environment.get("HOME") or "~").expanduser() / fallback
    return base / "opencode-mcp"
