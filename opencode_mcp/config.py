"""What the operator decides, gathered once: flags over environment over settings file over defaults.

This is the only module that reads the environment. The stages are plain functions: ``read_environment`` and
``read_file`` give raw text by option name, ``resolve`` checks it and makes the frozen ``Settings`` that every other
module receives.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidSetting

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})


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
    """Directories that callers may name, and all below them; the first is the default."""
    model: str = ""
    """Model for runs that name none, as ``provider/model``; empty: OpenCode's default."""
    agent: str = ""
    """Agent for runs that name none; empty: OpenCode's default."""
    opencode: str = ""
    """Path of the ``opencode`` executable; empty: look for it."""
    log_level: LogLevel = "WARNING"
    """How much goes to stderr."""
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


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: where it can be said, and how it reads."""

    name: str
    variables: tuple[str, ...]
    help: str
    metavar: str
    many: bool = False
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The command line's spelling."""
        return "--" + self.name.removesuffix("ies").replace("_", "-") + ("y" if self.name.endswith("ies") else "")


OPTIONS = (
    Option("url", ("OPENCODE_MCP_URL",), "attach to this OpenCode server instead of starting one", "URL"),
    Option("username", ("OPENCODE_MCP_USERNAME", "OPENCODE_SERVER_USERNAME"), "user name for it", "NAME"),
    Option("password", ("OPENCODE_MCP_PASSWORD", "OPENCODE_SERVER_PASSWORD"), "password for it", "TEXT"),
    Option(
        "directories",
        ("OPENCODE_MCP_DIRECTORY",),
        "a directory that callers may work in (repeatable; the first is the default)",
        "PATH",
        many=True,
    ),
    Option("model", ("OPENCODE_MCP_MODEL",), "model for runs that name none", "PROVIDER/MODEL"),
    Option("agent", ("OPENCODE_MCP_AGENT",), "agent for runs that name none", "NAME"),
    Option("opencode", ("OPENCODE_MCP_OPENCODE", "OPENCODE_BIN"), "the opencode executable", "PATH"),
    Option("log_level", ("OPENCODE_MCP_LOG_LEVEL",), "how much to log on stderr", "LEVEL", choices=get_args(LogLevel)),
)

Raw = dict[str, str | list[str]]


def read_environment(environment: Mapping[str, str]) -> Raw:
    """Take the options that the environment sets; a list is separated as ``PATH`` is."""
    raw: Raw = {}
    for option in OPTIONS:
        value = next((environment[name] for name in option.variables if environment.get(name)), "")
        if value:
            raw[option.name] = value.split(os.pathsep) if option.many else value
    return raw


def read_file(path: Path) -> Raw:
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
    known = {option.name: option for option in OPTIONS}
    for key, value in loaded.items():
        if key not in known:
            raise InvalidSetting(f"{path} sets {key!r}.", hint=f"The settings are: {', '.join(known)}.")
        if not _has_shape(value, many=known[key].many):
            kind = "a list of texts" if known[key].many else "a text"
            raise InvalidSetting(f"{path} sets {key!r} to {value!r}.", hint=f"It takes {kind}.")
    return cast("Raw", loaded)


def _has_shape(value: object, *, many: bool) -> bool:
    if not many:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def resolve(flags: Raw, environment: Mapping[str, str] | None = None) -> Settings:
    """Merge the stages and check them.

    Args:
        flags: What the command line says, by option name; an option it leaves out is absent.
        environment: Stands in for the process's own environment in tests.

    Raises:
        InvalidSetting: A value is not of its form; the text says which, and what would be right.
    """
    environment = os.environ if environment is None else environment
    merged = read_file(settings_file(environment)) | read_environment(environment) | flags
    checked: dict[str, Any] = {name: CHECKS.get(name, _as_is)(value) for name, value in merged.items()}
    return Settings(**checked, state_directory=state_directory(environment), environment=dict(environment))


def _as_is(value: str | list[str]) -> str | list[str]:
    return value


def _check_url(value: str | list[str]) -> str:
    url = str(value).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidSetting(f"The URL {url!r} is not one.", hint="It looks like http://127.0.0.1:4096.")
    if parts.username or parts.password:
        raise InvalidSetting("The URL carries a password.", hint="Give it with --username and --password instead.")
    return url


def _check_directories(value: str | list[str]) -> tuple[str, ...]:
    paths = [value] if isinstance(value, str) else value
    for path in paths:
        if not os.path.isabs(path):  # noqa: PTH117 - a remote's path stays text
            raise InvalidSetting(f"The directory {path!r} is relative.", hint="Give an absolute path.")
    return tuple(paths)


def _check_model(value: str | list[str]) -> str:
    model = str(value)
    provider, _, name = model.partition("/")
    if not provider or not name:
        raise InvalidSetting(f"The model {model!r} names no provider.", hint="It looks like anthropic/claude-opus.")
    return model


def _check_log_level(value: str | list[str]) -> str:
    level = str(value).upper()
    if level not in get_args(LogLevel):
        raise InvalidSetting(f"There is no log level {value!r}.", hint=f"It is one of {', '.join(get_args(LogLevel))}.")
    return level


CHECKS: Mapping[str, Callable[[str | list[str]], object]] = {
    "url": _check_url,
    "directories": _check_directories,
    "model": _check_model,
    "log_level": _check_log_level,
}


def settings_file(environment: Mapping[str, str]) -> Path:
    """Where the settings file is looked for: ``OPENCODE_MCP_CONFIG``, else the user's configuration folder."""
    named = environment.get("OPENCODE_MCP_CONFIG")
    return Path(named) if named else _user_folder(environment, "XDG_CONFIG_HOME", "APPDATA", ".config") / "config.toml"


def state_directory(environment: Mapping[str, str]) -> Path:
    """Where the bridge keeps its state: ``OPENCODE_MCP_STATE``, else the user's state folder."""
    named = environment.get("OPENCODE_MCP_STATE")
    return Path(named) if named else _user_folder(environment, "XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")


def _user_folder(environment: Mapping[str, str], xdg: str, windows: str, fallback: str) -> Path:
    variable = windows if sys.platform == "win32" else xdg
    base = environment.get(variable)
    return (Path(base) if base else Path(environment.get("HOME", "~")).expanduser() / fallback) / "opencode-mcp"
