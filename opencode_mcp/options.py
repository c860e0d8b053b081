"""Options as data: where each can be set, how it is parsed, and its description.

The command line, the environment, the settings file and the README's table are all made from ``OPTIONS``.
"""

import ipaddress
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import PurePath
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidSetting

OptionKind = Literal["text", "list", "switch", "table"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Attach = Literal["", "service"]
Decider = Literal["allow", "agent", "human", "reject"]
"""Responder for a permission request: none (allowed), the calling agent, a person, none (rejected)."""
DECIDERS: tuple[Decider, ...] = get_args(Decider)
"""From the least to the most strict."""

Rules = Mapping[str, Mapping[str, Decider]]
"""For each kind of permission and pattern, who answers; the last pattern that matches applies."""


@dataclass(frozen=True, slots=True)
class IsolationSetup:
    """Preparation of an isolated worktree before a run begins in it."""

    copy: tuple[str, ...] = ()
    """Files and folders that git ignores, relative to the repository, which are copied from the checkout."""
    command: str = ""
    """Shell line that is run in the worktree; empty for none."""


VERIFY_SECONDS = 600.0
LONGEST_VERIFY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class VerifyCommand:
    """Shell line that verifies the work of a run."""

    line: str
    seconds: float = VERIFY_SECONDS
    """Time that it may take."""
    environment: tuple[str, ...] = ()
    """Variables of the bridge that it gets besides those that every such line gets."""


HOST = re.compile(r"([a-zA-Z0-9_][a-zA-Z0-9_.-]*|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")
"""Name or address of a host, and perhaps a port."""
UNIX_PREFIX = "unix:"
"""Beginning of an address that is a Unix socket."""
MOST_RUNS = 8
LARGEST_MOST_RUNS = 1000
LONGEST_WAIT_SECONDS = 3600.0
STOP_AFTER_SECONDS = 8 * 3600.0
LONGEST_STOP_AFTER_SECONDS = 30 * 24 * 3600.0
DEEPEST_LEVEL = 9
SHORTEST_KEY = 16
"""Characters of a key at least."""


def as_text(value: object) -> str:
    """Parse a text; anything else is refused.

    Raises:
        InvalidSetting: As every parser here; the caller adds the name of the setting.
    """
    if not isinstance(value, str):
        raise InvalidSetting("It must be a text.")
    return value


def as_texts(value: object) -> tuple[str, ...]:
    """Parse a list of texts, or one text."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in cast("list[object]", items)):
        raise InvalidSetting("It must be a list of texts.")
    return tuple(cast("list[str]", items))


def as_names(value: object) -> tuple[str, ...]:
    """Parse names, as a list or separated by commas, each once."""
    names = (name.strip() for text in as_texts(value) for name in text.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def as_switch(value: object) -> bool:
    """Parse a yes or no strictly: a typing error must not disable a protection."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise InvalidSetting("It must be true or false.")


def as_url(value: object) -> str:
    """Parse the base URL of a server."""
    url = as_text(value).rstrip("/")
    if not _is_address(url):
        raise InvalidSetting(f"{url!r} is not a URL.", hint="It looks like http://127.0.0.1:4096.")
    if "@" in urlsplit(url).netloc:
        raise InvalidSetting("It must not contain a password.", hint="Give it with --username and --password instead.")
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def as_directories(value: object) -> tuple[str, ...]:
    """Parse absolute paths; the last parts of one may be patterns."""
    paths = as_texts(value)
    for path in paths:
        if not os.path.isabs(path):  # noqa: PTH117 - a path of another machine stays text
            raise InvalidSetting(f"{path!r} is relative.", hint="Give an absolute path.")
        if not os.path.isdir(path):  # noqa: PTH112 - a folder may have a name that looks like a pattern
            _check_patterns(path)
    return paths


def _check_patterns(path: str) -> None:
    parts = list(filter(None, re.split(r"[/\\]", path)))
    if any("**" in part for part in parts):
        raise InvalidSetting(f"{path!r} has no fixed depth.", hint="Write * once for each level, as /projects/*/*.")
    if parts and has_wildcard(parts[0]):
        raise InvalidSetting(
            f"{path!r} would allow every folder of the disk.", hint="Name the folder that contains the projects."
        )
    if _has_name_after_pattern(parts):
        raise InvalidSetting(f"{path!r} has a name after a pattern.", hint="Only the last parts may be patterns.")


def _has_name_after_pattern(parts: list[str]) -> bool:
    wild = map(has_wildcard, parts)
    return any(earlier and not later for earlier, later in pairwise(wild))


def has_wildcard(part: str) -> bool:
    """Return True if a directory, or a part of one, is a pattern."""
    return any(character in part for character in "*?[")


def as_http(value: object) -> str:
    """Parse an address to listen at: a host and a port, or a Unix socket."""
    text = as_text(value)
    if text.startswith(UNIX_PREFIX):
        if not os.path.isabs(text.removeprefix(UNIX_PREFIX)):  # noqa: PTH117 - it stays text
            raise InvalidSetting(f"{text!r} is relative.", hint="Give an absolute path, as unix:/run/mcp.sock.")
        return text
    if not _is_host_and_port(text):
        raise InvalidSetting(f"{text!r} is not a host with a port.", hint="It looks like 127.0.0.1:8700.")
    return text


def _is_host_and_port(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return parts.netloc == text and bool(parts.hostname) and parts.port is not None and "@" not in text
    except ValueError:
        return False


def as_metrics(value: object) -> str:
    """Parse an address for metrics; a port alone is one of this machine."""
    text = as_text(value)
    return as_http(f"127.0.0.1:{text}" if text.isdecimal() else text)


def as_origins(value: object) -> tuple[str, ...]:
    """Parse the origins of web pages: scheme, host and port, without a path."""
    origins = as_names(value)
    for origin in origins:
        parts = urlsplit(origin)
        right = f"{parts.scheme}://{parts.netloc}"
        if not _is_address(origin) or not HOST.fullmatch(parts.netloc):
            raise InvalidSetting(f"{origin!r} is not an origin.", hint="It looks like https://agents.example.com.")
        if origin.lower() != right.lower():
            raise InvalidSetting(f"{origin!r} is not an origin.", hint=f"It has no path: give {right}.")
    return tuple(origin.lower() for origin in origins)


def as_hosts(value: object) -> tuple[str, ...]:
    """Parse names of hosts, as they are in a header ``Host``."""
    hosts = as_names(value)
    for host in hosts:
        if not HOST.fullmatch(host):
            right = urlsplit(host).netloc if "://" in host else ""
            hint = f"Give {right}." if HOST.fullmatch(right) else "It looks like agents.example.com; give each name."
            raise InvalidSetting(f"{host!r} is not the name of a host.", hint=hint)
    return tuple(host.lower() for host in hosts)


def as_proxies(value: object) -> tuple[str, ...]:
    """Parse addresses and networks of reverse proxies."""
    proxies = as_names(value)
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise InvalidSetting(
                f"{proxy!r} is not an address or a network: {error}.", hint="It looks like 127.0.0.1 or 10.0.0.0/8."
            ) from error
    return proxies


def as_model(value: object) -> str:
    """Parse a model's full name."""
    provider, _, name = as_text(value).partition("/")
    if not provider or not name:
        raise InvalidSetting(f"{value!r} names no provider.", hint="It looks like anthropic/claude-opus.")
    return f"{provider}/{name}"


def as_log_level(value: object) -> str:
    """Parse a log level, in any case."""
    return _one_of(as_text(value).upper(), get_args(LogLevel))


def as_decider(value: object) -> str:
    """Parse who answers permission requests."""
    return _one_of(as_text(value), get_args(Decider))


def as_attach(value: object) -> str:
    """Parse what to attach to."""
    return _one_of(as_text(value), tuple(filter(None, get_args(Attach))))


def as_wait(value: object) -> float:
    """Parse a number of seconds."""
    seconds = _number(value)
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise InvalidSetting(
            f"{value!r} is not a number of seconds in the allowed range.",
            hint=f"It must be 0 to {LONGEST_WAIT_SECONDS:.0f} seconds.",
        )
    return seconds


def as_stop_after(value: object) -> float:
    """Parse a number of seconds, up to 30 days."""
    seconds = _number(value)
    if not 0 <= seconds <= LONGEST_STOP_AFTER_SECONDS:
        raise InvalidSetting(
            f"{value!r} is not a number of seconds in the allowed range.",
            hint=f"It must be 0 to {LONGEST_STOP_AFTER_SECONDS:.0f} seconds.",
        )
    return seconds


def as_depth(value: object) -> int:
    """Parse the number of levels of delegation."""
    depth = _number(value)
    if not 1 <= depth <= DEEPEST_LEVEL or depth != int(depth):
        raise InvalidSetting(
            f"{value!r} is not a number of levels.", hint=f"It must be a whole number from 1 to {DEEPEST_LEVEL}."
        )
    return int(depth)


def as_cost(value: object) -> float:
    """Parse an amount of US dollars."""
    return _above_zero(value, "an amount of US dollars")


def as_minutes(value: object) -> float:
    """Parse a number of minutes."""
    return _above_zero(value, "a number of minutes")


def as_steps(value: object) -> int:
    """Parse a number of steps of the model."""
    steps = _above_zero(value, "a number of steps")
    if steps != int(steps):
        raise InvalidSetting(f"{value!r} is not a number of steps.", hint="It must be a whole number above 0.")
    return int(steps)


def as_verify_seconds(value: object) -> float:
    """Parse the time of a command that verifies work."""
    seconds = _above_zero(value, "a number of seconds")
    if seconds > LONGEST_VERIFY_SECONDS:
        raise InvalidSetting(f"{seconds:g} s are too many.", hint=f"At most {LONGEST_VERIFY_SECONDS:.0f} s.")
    return seconds


def as_runs(value: object) -> int:
    """Parse a number of runs."""
    number = _number(value)
    if not 1 <= number <= LARGEST_MOST_RUNS or number != int(number):
        raise InvalidSetting(
            f"{value!r} is not a number of runs.", hint=f"It must be a whole number from 1 to {LARGEST_MOST_RUNS}."
        )
    return int(number)


def _above_zero(value: object, meaning: str) -> float:
    number = _number(value)
    if not 0 < number < inf:
        raise InvalidSetting(f"{value!r} is not {meaning}.", hint="It must be a number above 0.")
    return number


def as_command(value: object) -> tuple[str, ...]:
    """Parse a command with its arguments: a list, or a text that is split as a shell does, and never run by one."""
    if not isinstance(value, str):
        parts = as_texts(value)
    else:
        try:
            parts = tuple(shlex.split(value, posix=os.name != "nt"))
        except ValueError as error:
            raise InvalidSetting(f"It cannot be split into arguments: {error}.") from error
    if not parts:
        raise InvalidSetting("It is empty.", hint="Name a program, and its arguments.")
    return parts


def as_hook(value: object) -> str:
    """Parse an address that gets reports."""
    url = as_text(value)
    if not _is_address(url) or "#" in url:
        raise InvalidSetting("It is not a URL.", hint="It looks like https://example.com/reports.")
    if "@" in urlsplit(url).netloc:
        raise InvalidSetting("It must not contain a password.", hint="The signature shows who sends a report.")
    return url


def as_key(value: object) -> str:
    """Parse a key; the error does not show it."""
    key = as_text(value)
    if len(key) < SHORTEST_KEY:
        raise InvalidSetting(f"It has fewer than {SHORTEST_KEY} characters.", hint="`openssl rand -hex 32` makes one.")
    return key


def as_rules(value: object) -> Rules:
    """Parse who answers which kind of permission request: a decider, or a table of patterns with a decider each."""
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.", hint='For instance permission_rules.bash = "human".')
    return {kind: _rules_of(rule) for kind, rule in cast("Mapping[str, object]", value).items()}


def _rules_of(rule: object) -> Mapping[str, Decider]:
    patterns = cast("Mapping[str, object]", rule) if isinstance(rule, Mapping) else {"*": rule}
    return {pattern: cast("Decider", as_decider(decider)) for pattern, decider in patterns.items()}


def as_file(value: object) -> str:
    """Parse the absolute path of a file."""
    path = as_text(value)
    if not os.path.isabs(path):  # noqa: PTH117 - as of the directories
        raise InvalidSetting(f"{path!r} is relative.", hint="Give an absolute path.")
    return path


def as_principals(value: object) -> Mapping[str, object]:
    """Parse the tables of the principals, whose contents are checked when HTTP is served."""
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.", hint="`opencode-mcp token new NAME` writes one.")
    return cast("Mapping[str, object]", value)


def as_oauth(value: object) -> Mapping[str, object]:
    """Parse the table of OAuth, whose contents are checked when HTTP is served."""
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.", hint='For instance oauth.issuer = "https://login.example.com".')
    return cast("Mapping[str, object]", value)


def as_isolation(value: object) -> IsolationSetup:
    """Parse how an isolated worktree is prepared."""
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.", hint='For instance isolation.setup = "npm ci".')
    table = cast("Mapping[str, object]", value)
    if unknown := set(table) - {"copy", "setup"}:
        raise InvalidSetting(f"It has no key {min(unknown)!r}.", hint="The keys are copy and setup.")
    copies = as_texts(table.get("copy", []))
    for path in copies:
        if not path or PurePath(path).is_absolute() or ".." in PurePath(path).parts:
            raise InvalidSetting(f"{path!r} is not inside the repository.", hint="Give a path relative to it.")
    return IsolationSetup(copies, as_text(table.get("setup", "")))


def as_verify(value: object) -> Mapping[str, VerifyCommand]:
    """Parse the named lines that verify the work of runs: a shell line each, or a table with one."""
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.", hint='For instance verify.test = "pytest -q".')
    return {name: _verify_command(name, command) for name, command in cast("Mapping[str, object]", value).items()}


def _verify_command(name: str, value: object) -> VerifyCommand:
    table = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {"command": value}
    if unknown := set(table) - {"command", "seconds", "environment"}:
        raise InvalidSetting(
            f"{name} has no key {min(unknown)!r}.", hint="The keys are command, seconds and environment."
        )
    line = as_text(table.get("command", "")).strip()
    if not line:
        raise InvalidSetting(f"{name} has no command.", hint='For instance verify.test = "pytest -q".')
    seconds = _above_zero(table.get("seconds", VERIFY_SECONDS), "a number of seconds")
    if seconds > LONGEST_VERIFY_SECONDS:
        raise InvalidSetting(f"{name} may take {seconds:g} s.", hint=f"At most {LONGEST_VERIFY_SECONDS:.0f} s.")
    return VerifyCommand(line, seconds, as_texts(table.get("environment", [])))


def _number(value: object) -> float:
    """Return a number; other values become -1, which no option accepts."""
    try:
        return float(cast("str", value))
    except (TypeError, ValueError):
        return -1


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InvalidSetting(f"{value!r} is not an allowed value.", hint=f"It must be one of {', '.join(choices)}.")
    return value


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    name: str
    """Its field in ``Settings``, and its key in the settings file."""
    read: Callable[[object], object]
    """Checks and converts a value."""
    help: str
    variables: tuple[str, ...] = ()
    """Environment variables; the first that is set counts. Without any, only the settings file has it."""
    metavar: str = "TEXT"
    kind: OptionKind = "text"
    flag: str = ""
    """Spelling on the command line, if it differs from the name."""
    separator: str = ","
    """Separator of the items of a list in an environment variable."""

    @property
    def spelling(self) -> str:
        """Return the spelling on the command line."""
        return self.flag or "--" + self.name.replace("_", "-")


OPTIONS = (
    Option("url", as_url, "attach to this OpenCode server instead of starting one", ("OPENCODE_MCP_URL",), "URL"),
    Option("username", as_text, "user name for it", ("OPENCODE_MCP_USERNAME", "OPENCODE_SERVER_USERNAME"), "NAME"),
    Option(
        "password",
        as_text,
        "password for it",
        ("OPENCODE_MCP_PASSWORD", "OPENCODE_SERVER_PASSWORD", "OPENCODE_PASSWORD"),
    ),
    Option(
        "attach",
        as_attach,
        "service: attach to your own background service of OpenCode 2, with the address and the password that it has "
        "registered",
        ("OPENCODE_MCP_ATTACH",),
        "WHAT",
    ),
    Option(
        "directories",
        as_directories,
        "a directory that callers may work in, as a project; or several, as /projects/* (repeatable; the first is the "
        "default)",
        ("OPENCODE_MCP_DIRECTORY",),
        "PATH",
        "list",
        "--directory",
        os.pathsep,
    ),
    Option("model", as_model, "model for runs that name none", ("OPENCODE_MCP_MODEL",), "PROVIDER/MODEL"),
    Option("agent", as_text, "agent for runs that name none", ("OPENCODE_MCP_AGENT",), "NAME"),
    Option("opencode", as_text, "the opencode executable", ("OPENCODE_MCP_OPENCODE", "OPENCODE_BIN"), "PATH"),
    Option(
        "permissions",
        as_decider,
        "who answers OpenCode's permission requests: human (the default; the calling agent if the host cannot ask a "
        "person), agent, allow, reject",
        ("OPENCODE_MCP_PERMISSIONS",),
        "WHO",
    ),
    Option("permission_rules", as_rules, "the same for each kind of permission and pattern", kind="table"),
    Option(
        "isolation",
        as_isolation,
        "how the worktree of an isolated run is prepared: copy (files that git ignores) and setup (a shell line)",
        kind="table",
    ),
    Option(
        "verify",
        as_verify,
        "shell lines that verify the work of a run, by the name that opencode_run(verify=...) takes; a table instead "
        "of a line has command, seconds (600) and environment (more variables)",
        kind="table",
    ),
    Option(
        "verify_seconds",
        as_verify_seconds,
        f"seconds that a shell line which a caller gives to verify a run may take (default: {VERIFY_SECONDS:.0f})",
        ("OPENCODE_MCP_VERIFY_SECONDS",),
        "SECONDS",
    ),
    Option(
        "max_cost",
        as_cost,
        "stop every run that has cost this much, in US dollars; a caller may set less for a run, and not more",
        ("OPENCODE_MCP_MAX_COST",),
        "USD",
    ),
    Option(
        "max_minutes",
        as_minutes,
        "the same for minutes of work, without the time in which a run waits for an answer",
        ("OPENCODE_MCP_MAX_MINUTES",),
        "MINUTES",
    ),
    Option(
        "max_steps",
        as_steps,
        "the same for steps of the model, those of subagents included",
        ("OPENCODE_MCP_MAX_STEPS",),
        "NUMBER",
    ),
    Option(
        "max_runs",
        as_runs,
        "tasks of batches that work at once, of all bridges of a user, other runs counted; the others are queued "
        f"(default: {MOST_RUNS})",
        ("OPENCODE_MCP_MAX_RUNS",),
        "NUMBER",
    ),
    Option(
        "max_cost_a_day",
        as_cost,
        "start no run after the runs of a day have cost this much, in US dollars",
        ("OPENCODE_MCP_MAX_COST_A_DAY",),
        "USD",
    ),
    Option(
        "wait",
        as_wait,
        "seconds that a call waits if it does not say (default: the limit that the host is known to have)",
        ("OPENCODE_MCP_WAIT",),
        "SECONDS",
    ),
    Option(
        "on_finish",
        as_command,
        "run this command when a run that this bridge started has ended or needs input; it gets the report as JSON on "
        "stdin",
        ("OPENCODE_MCP_ON_FINISH",),
        "COMMAND",
    ),
    Option(
        "on_finish_url",
        as_hook,
        "POST the same report to this address, signed with on_finish_key",
        ("OPENCODE_MCP_ON_FINISH_URL",),
        "URL",
    ),
    Option("on_finish_key", as_key, "key of the signature (HMAC-SHA256), at least 16 characters; only in this file"),
    Option(
        "abort_on_cancel",
        as_switch,
        "abort a run when the host cancels the call that waits for it",
        ("OPENCODE_MCP_ABORT_ON_CANCEL",),
        kind="switch",
    ),
    Option(
        "toolsets",
        as_names,
        "tools to list: default, minimal (nine tools), the groups of operations as tools of their own, or all",
        ("OPENCODE_MCP_TOOLSETS",),
        "NAMES",
        "list",
    ),
    Option(
        "read_only",
        as_switch,
        "list and allow only tools and operations that read",
        ("OPENCODE_MCP_READ_ONLY",),
        kind="switch",
    ),
    Option(
        "allow",
        as_names,
        "operations that callers may use besides reads and writes, by id or effect (repeatable); session.shell also "
        "lists opencode_shell",
        ("OPENCODE_MCP_ALLOW",),
        "NAMES",
        "list",
    ),
    Option(
        "deny",
        as_names,
        "operations that may not be called, by id or effect, nor the tools that use them (repeatable)",
        ("OPENCODE_MCP_DENY",),
        "NAMES",
        "list",
    ),
    Option(
        "stop_after",
        as_stop_after,
        "seconds without a bridge after which a started OpenCode is ended, even if it is busy (default: 8 hours)",
        ("OPENCODE_MCP_STOP_AFTER",),
        "SECONDS",
    ),
    Option(
        "max_depth",
        as_depth,
        "levels of delegation; more than 1 lets an OpenCode that a bridge started use a bridge itself",
        ("OPENCODE_MCP_MAX_DEPTH",),
        "NUMBER",
    ),
    Option(
        "http",
        as_http,
        "serve: serve MCP over HTTP at this address instead of stdin and stdout, as 127.0.0.1:8700 or "
        "unix:/run/opencode-mcp.sock",
        ("OPENCODE_MCP_HTTP",),
        "ADDRESS",
    ),
    Option(
        "http_host",
        as_hosts,
        "a name by which HTTP clients reach the bridge, besides its address and localhost (repeatable)",
        ("OPENCODE_MCP_HTTP_HOST",),
        "NAME",
        "list",
    ),
    Option(
        "http_origin",
        as_origins,
        "a web page that may use the bridge, as https://agents.example.com (repeatable)",
        ("OPENCODE_MCP_HTTP_ORIGIN",),
        "ORIGIN",
        "list",
    ),
    Option(
        "forwarded_allow",
        as_proxies,
        "address of a reverse proxy whose X-Forwarded-For is believed (repeatable)",
        ("OPENCODE_MCP_FORWARDED_ALLOW",),
        "ADDRESS",
        "list",
    ),
    Option(
        "metrics",
        as_metrics,
        "serve --http: serve metrics for Prometheus at this address, as 127.0.0.1:9464 or unix:/run/metrics.sock",
        ("OPENCODE_MCP_METRICS",),
        "ADDRESS",
    ),
    Option(
        "insecure_no_auth",
        as_switch,
        "serve HTTP without authentication: every program on this machine may then use the bridge",
        ("OPENCODE_MCP_INSECURE_NO_AUTH",),
        kind="switch",
    ),
    Option(
        "key_file",
        as_file,
        "file with a key that several bridges share, so that each accepts the tasks and forms of the others",
        ("OPENCODE_MCP_KEY_FILE",),
        "PATH",
    ),
    Option("principals", as_principals, "who may use the bridge over HTTP, and what each may do", kind="table"),
    Option(
        "oauth",
        as_oauth,
        "whose access tokens (OAuth 2.1) the bridge accepts over HTTP: issuer, resource, and if needed audience, "
        "jwks_url and scopes",
        kind="table",
    ),
    Option("log_level", as_log_level, "lowest level of log lines on stderr", ("OPENCODE_MCP_LOG_LEVEL",), "LEVEL"),
)
"""All options, in the order in which they are shown."""
CREDENTIALS = frozenset(
    name for option in OPTIONS if option.name in {"username", "password"} for name in option.variables
)
"""Variables with the credentials for OpenCode."""


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a command of the operator's: all but the credentials for OpenCode."""
    return {name: value for name, value in environment.items() if name not in CREDENTIALS}
