"""Settings of the operator, resolved once: flags over environment over settings file over defaults.

This is the only module that reads the environment. The stages are plain functions: ``read_environment`` and
``read_file`` return the values by option name, and ``resolve`` checks them and creates the frozen ``Settings`` that
every other module receives.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import (
    MOST_RUNS,
    OPTIONS,
    STOP_AFTER_SECONDS,
    VERIFY_SECONDS,
    Attach,
    Decider,
    IsolationSetup,
    LogLevel,
    Option,
    Rules,
    VerifyCommand,
)

DEPTH_VARIABLE = "OPENCODE_MCP_DEPTH"
"""Variable in the environment of a started OpenCode: the number of bridges above it."""
INSIDE_VARIABLE = "OPENCODE_MCP_INSIDE"
"""Variable in the same environment: the folder with the record of that OpenCode."""
LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
OptionValues = dict[str, object]
"""Values of one stage, by option name; options without a value are absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that an operator can set. Create it with ``resolve``; a test may create it directly."""

    url: str = ""
    """Base URL of an OpenCode server to attach to; empty to find or start one."""
    username: str = "opencode"
    """User name for OpenCode's HTTP basic authentication."""
    password: str = field(default="", repr=False)
    """Password for OpenCode's HTTP basic authentication; empty for none."""
    attach: Attach = ""
    """``service`` to attach to the user's background service of OpenCode 2; empty for none."""
    directories: tuple[str, ...] = ()
    """Projects that callers may work in, with all below them: paths or patterns; the first path is the default."""
    started_in: Path = field(default_factory=lambda: working_directory(os.environ))
    """Working directory at the start of the bridge; kept, since it may be deleted. A relative path if there is none."""
    model: str = ""
    """Model for runs that name none, as ``provider/model``; empty for OpenCode's default."""
    agent: str = ""
    """Agent for runs that name none; empty for OpenCode's default."""
    opencode: str = ""
    """Path of the ``opencode`` executable; empty to search for it."""
    permissions: Decider = "human"
    """Responder for permission requests without a rule."""
    permission_rules: Rules = field(default_factory=dict[str, Mapping[str, Decider]])
    """Responder for each kind of permission request."""
    max_cost: float | None = None
    """Most US dollars that a run may cost; ``None`` for no limit."""
    max_minutes: float | None = None
    """Most minutes that a run may work; ``None`` for no limit."""
    max_steps: int | None = None
    """Most steps of the model that a run may take; ``None`` for no limit."""
    isolation: IsolationSetup = field(default_factory=IsolationSetup)
    """Preparation of the worktree of an isolated run."""
    verify: Mapping[str, VerifyCommand] = field(default_factory=dict[str, VerifyCommand])
    """Named shell lines that callers may have verify the work of a run."""
    verify_seconds: float = VERIFY_SECONDS
    """Seconds that a shell line of a caller's may take to verify the work of a run."""
    max_runs: int = MOST_RUNS
    """Most tasks of batches at once, of all bridges of a user; runs that no batch has started take places, too."""
    max_cost_a_day: float | None = None
    """US dollars that the runs of a day may cost until no further one is started; ``None`` for no limit."""
    runs_at_once: int | None = None
    """Most runs of a principal at once, however they are started; ``None`` for no limit."""
    wait: float | None = None
    """Seconds that a call waits if it does not say; ``None`` for the limit that the host is known to have."""
    on_finish: tuple[str, ...] = ()
    """Command with its arguments that gets the report of each run that ends or needs input; empty for none."""
    on_finish_url: str = ""
    """Address that gets the same reports; empty for none."""
    on_finish_key: str = field(default="", repr=False)
    """Key with which the reports for it are signed."""
    abort_on_cancel: bool = False
    """True if cancelling a waiting call aborts its run."""
    toolsets: tuple[str, ...] = ("default",)
    """Tools that are listed."""
    read_only: bool = False
    """True if only tools and operations that read are listed and allowed."""
    allow: tuple[str, ...] = ()
    """Operations that may be called besides reads and writes, by id or effect."""
    deny: tuple[str, ...] = ()
    """Operations that may not be called, by id or effect; it overrides ``allow``."""
    http: str = ""
    """Address at which MCP is served over HTTP; empty for stdin and stdout."""
    http_host: tuple[str, ...] = ()
    """Names by which HTTP clients reach the bridge."""
    http_origin: tuple[str, ...] = ()
    """Origins of web pages that may use the bridge."""
    forwarded_allow: tuple[str, ...] = ()
    """Addresses of reverse proxies that say for which client they send a request."""
    metrics: str = ""
    """Address at which metrics are served; empty for none."""
    insecure_no_auth: bool = False
    """True if HTTP clients need no authentication."""
    key_file: str = ""
    """File with the key that several bridges share; empty for a key in the state folder."""
    principals: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    """Tables of those who may use the bridge over HTTP, by name; ``http/principals/principal.py`` reads them."""
    oauth: Mapping[str, object] = field(default_factory=dict[str, object])
    """Issuer of access tokens for HTTP; ``http/oauth/oauth_settings.py`` reads it."""
    log_level: LogLevel = "WARNING"
    """Lowest level of log lines on stderr."""
    stop_after: float = STOP_AFTER_SECONDS
    """Seconds without any bridge after which a started OpenCode is ended, even if a session is busy."""
    max_depth: int = 1
    """Most levels of delegation: with 1, an OpenCode that a bridge started cannot use a bridge itself."""
    principal: str = ""
    """Principal whose settings these are; empty for those of the whole bridge."""
    flags: frozenset[str] = frozenset()
    """Names of the options that flags set, and not the environment or the settings file."""
    missing_scopes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Scope for each effect that the principal may have and the access token of the client does not permit."""
    depth: int = 0
    """Number of bridges above this one: more than 0 inside an OpenCode that a bridge started."""
    inside: str = ""
    """Folder with the record of the OpenCode in which this bridge runs."""
    state_directory: Path = Path()
    """Folder of the shared server's record and locks."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Environment that a started OpenCode inherits."""

    @property
    def attached(self) -> bool:
        """Return True if the operator named a server, so that the bridge neither starts nor stops one."""
        return bool(self.url or self.attach)

    @property
    def remote(self) -> bool:
        """Return True if OpenCode may have another file system than the bridge."""
        return bool(self.url) and urlsplit(self.url).hostname not in LOOPBACK_NAMES


def read_environment(environment: Mapping[str, str]) -> OptionValues:
    """Return the options that the environment sets."""
    values: OptionValues = {}
    for option in OPTIONS:
        value = next((environment[name] for name in option.variables if environment.get(name)), "")
        if value:
            values[option.name] = _items(value, option) if option.kind == "list" else value
    return values


def _items(value: str, option: Option) -> list[str]:
    return [item.strip() for item in value.split(option.separator) if item.strip()]


def read_file(path: Path) -> OptionValues:
    """Return the options that a TOML settings file sets; a missing file sets none.

    Raises:
        InvalidSetting: The file is not TOML, or has an unknown key.
    """
    if not path.is_file():
        return {}
    try:
        # Editors of Windows begin a file with a mark, which TOML does not know.
        loaded = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} is not a TOML file: {error}.") from error
    known = [option.name for option in OPTIONS]
    for key in loaded:
        if key not in known:
            raise InvalidSetting(f"{path} sets {key!r}.", hint=f"The settings are: {', '.join(known)}.")
    return loaded


def resolve(flags: OptionValues, environment: Mapping[str, str] | None = None) -> Settings:
    """Merge the stages and check them.

    Args:
        flags: Options of the command line.
        environment: Replaces the environment of the process in tests.

    Raises:
        InvalidSetting: A value is malformed; the text says which, and the correct form.
    """
    environment = os.environ if environment is None else environment
    values = read_file(settings_file(environment)) | read_environment(environment) | flags
    checked: dict[str, Any] = {
        option.name: _read(option, values[option.name]) for option in OPTIONS if option.name in values
    }
    if checked.get("on_finish_url") and not checked.get("on_finish_key"):
        raise InvalidSetting(
            "--on-finish-url needs a key for the signature.",
            hint=f"Set on_finish_key in {settings_file(environment)}. `openssl rand -hex 32` makes one.",
        )
    if checked.get("attach") and checked.get("url"):
        raise InvalidSetting(
            f"--attach {checked['attach']} and --url {checked['url']} are two different servers to attach to.",
            hint="Leave out --url for your background service, or --attach for the server at the URL.",
        )
    return Settings(
        **checked,
        flags=frozenset(flags),
        depth=_depth(environment),
        inside=environment.get(INSIDE_VARIABLE, ""),
        state_directory=state_directory(environment),
        environment=dict(environment),
    )


def _depth(environment: Mapping[str, str]) -> int:
    depth = environment.get(DEPTH_VARIABLE, "0")
    # An invalid value does not mean that this is the first bridge.
    return int(depth) if depth.isdecimal() else 1


def _read(option: Option, value: object) -> object:
    try:
        return option.read(value)
    except InvalidSetting as error:
        named = f"{option.spelling} ({', '.join(option.variables) or option.name})"
        raise InvalidSetting(f"{named} is wrong: {error.message}", hint=error.hint) from error


def settings_file_text(settings: Settings) -> str:
    """Return the settings file in words, with its path unless a principal reads them, who works on another machine."""
    return "the settings file" if settings.principal else f"the settings file ({settings_file(settings.environment)})"


def settings_file(environment: Mapping[str, str]) -> Path:
    """Return the path of the settings file: ``OPENCODE_MCP_CONFIG``, or a file in the user's configuration folder."""
    named = environment.get("OPENCODE_MCP_CONFIG")
    return Path(named) if named else _user_folder(environment, "XDG_CONFIG_HOME", "APPDATA", ".config") / "config.toml"


def state_directory(environment: Mapping[str, str]) -> Path:
    """Return the folder of the bridge's state: ``OPENCODE_MCP_STATE``, or a folder in the user's state folder.

    Raises:
        InvalidSetting: The path is relative: the password of the shared server would be written into a project.
    """
    named = environment.get("OPENCODE_MCP_STATE")
    path = Path(named) if named else _user_folder(environment, "XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")
    if not path.is_absolute():
        raise InvalidSetting(f"OPENCODE_MCP_STATE is wrong: {str(path)!r} is relative.", hint="Give an absolute path.")
    return path


def working_directory(environment: Mapping[str, str]) -> Path:
    """Return the working directory of the process; the value of ``PWD`` if the directory was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(environment.get("PWD", ""))


def _user_folder(environment: Mapping[str, str], xdg: str, windows: str, fallback: str) -> Path:
    base = Path(environment.get(windows if sys.platform == "win32" else xdg) or ".")
    # The XDG specification says to ignore relative paths.
    if not base.is_absolute():
        base = Path(environment.get("HOME") or "~").expanduser() / fallback
    return base / "opencode-mcp"
