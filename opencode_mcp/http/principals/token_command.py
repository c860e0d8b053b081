"""Command ``opencode-mcp token``: make, list, revoke and replace the tokens of principals in the settings file."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import filelock

from opencode_mcp.disk.private_modes import PRIVATE_FILE, PRIVATE_FOLDER
from opencode_mcp.disk.state_folder import replace_private
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals import settings_file_edits
from opencode_mcp.http.principals.principal import OWN_OPTIONS, TOKEN_KEY, check_name, read_principals
from opencode_mcp.http.principals.principal_tokens import digest_of, new_token
from opencode_mcp.options import OPTIONS, Option, as_texts, has_wildcard
from opencode_mcp.settings import read_file, resolve, settings_file

LOCK_SECONDS = 5.0
HELP = {"max_runs": "runs of the principal at once: a further one is refused, and the tasks of its batches are queued"}
"""Help on options that mean something else for a principal than for the whole bridge."""
ONCE_SHOWN_HEADING = "The token is shown this once, and only its digest is stored:"
"""Line before a token, for the person."""


def run(arguments: Sequence[str], write: Callable[[str], None], tell: Callable[[str], None]) -> None:
    """Run the command.

    Args:
        arguments: Arguments after ``token``.
        write: Gets the result: a token, or the principals.
        tell: Gets explanations for the person.

    Raises:
        InvalidSetting: An argument or the settings file is wrong; nothing was changed.
    """
    parsed: dict[str, Any] = vars(_parser().parse_args(arguments))
    action, name = parsed.pop("action"), parsed.pop("name", "")
    values = {key: _read(key, value) for key, value in parsed.items() if value is not None}
    file = _File()
    match action:
        case "new":
            token = file.add(name, values)
            for directory in _missing(as_texts(values.get("directories", []))):
                tell(f"Warning: there is no folder {directory} now. Check its name.")
        case "rotate":
            token = file.rotate(name)
        case "revoke":
            file.revoke(name)
            tell(f"{name} and its token are removed from {file.path}.")
            return
        case _:
            write(_listed(file.principals))
            return
    tell(f"{name} is in {file.path}. {ONCE_SHOWN_HEADING}")
    write(token)


def _missing(directories: Iterable[str]) -> list[str]:
    """Return the directories that do not exist; a pattern may match some later."""
    return [one for one in directories if not has_wildcard(one) and not Path(one).is_dir()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opencode-mcp token",
        description="Manage the principals that may use the bridge over HTTP. A running bridge applies each change.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="make a principal and print its token")
    new.add_argument("name", metavar="NAME")
    for option in OPTIONS:
        if option.name in OWN_OPTIONS and option.variables:
            _add(new, option)
    actions.add_parser("list", help="list the principals")
    for action, text in (("revoke", "remove a principal"), ("rotate", "replace the token of a principal")):
        actions.add_parser(action, help=text).add_argument("name", metavar="NAME")
    return parser


def _read(key: str, value: object) -> object:
    """Return the value of an option as it is written to the settings file."""
    option = next(option for option in OPTIONS if option.name == key)
    try:
        read = option.read(value)
    except InvalidSetting as error:
        raise InvalidSetting(f"{option.spelling} is wrong: {error.message}", hint=error.hint) from error
    return list(cast("tuple[str, ...]", read)) if isinstance(read, tuple) else read


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    help_text = HELP.get(option.name, option.help)
    if option.kind == "switch":
        parser.add_argument(option.spelling, dest=option.name, action="store_true", default=None, help=help_text)
        return
    action = "append" if option.kind == "list" else "store"
    parser.add_argument(option.spelling, dest=option.name, metavar=option.metavar, action=action, help=help_text)


class _File:
    """The settings file."""

    def __init__(self) -> None:
        self._settings = resolve({})
        # A link stays one.
        self.path = Path(settings_file(self._settings.environment)).resolve()

    @property
    def principals(self) -> Mapping[str, Mapping[str, object]]:
        """Return the tables of the principals."""
        return cast("Mapping[str, Mapping[str, object]]", read_file(self.path).get("principals", {}))

    def add(self, name: str, values: Mapping[str, object]) -> str:
        """Add a principal, and return its token."""
        check_name(name)
        token = new_token()
        table = {TOKEN_KEY: digest_of(token), **values}

        def add_to(text: str) -> str:
            # Another command may have made it since this one began.
            if name in self.principals:
                raise InvalidSetting(
                    f"There is a principal {name} already.",
                    hint=f"`opencode-mcp token rotate {name}` replaces its token.",
                )
            return settings_file_edits.add_principal(text, name, table)

        self._change(add_to)
        return token

    def rotate(self, name: str) -> str:
        """Replace the token of a principal, and return the new one."""
        self._check_known(name)
        token = new_token()
        self._change(lambda text: settings_file_edits.set_value(text, name, TOKEN_KEY, digest_of(token)))
        return token

    def revoke(self, name: str) -> None:
        """Remove a principal."""
        self._check_known(name)
        self._change(lambda text: settings_file_edits.remove_principal(text, name))

    def _check_known(self, name: str) -> None:
        if name not in self.principals:
            known = ", ".join(self.principals) or "none"
            raise InvalidSetting(f"There is no principal {name!r}.", hint=f"There are {known}.")

    def _change(self, change: Callable[[str], str]) -> None:
        """Change the text, if the bridge would accept the new one."""
        self.path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        try:
            with filelock.FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, mode=PRIVATE_FILE):
                text = self.path.read_text(encoding="utf-8-sig") if self.path.exists() else ""
                changed = change(text)
                read_principals(settings_file_edits.principals_in(changed), self._settings)
                replace_private(self.path, changed.encode())
        except filelock.Timeout as error:
            raise InvalidSetting(f"Another process has held {error.lock_file} for {LOCK_SECONDS:.0f} s.") from error
        except OSError as error:
            raise InvalidSetting(f"{self.path} cannot be changed: {error.strerror}.") from error


def _listed(principals: Mapping[str, Mapping[str, object]]) -> str:
    """Return a line for each principal, without its digests."""
    lines = [
        f"{name}: {', '.join(f'{key} = {value}' for key, value in table.items() if key != TOKEN_KEY)}"
        for name, table in principals.items()
    ]
    return "\n".join(lines) or "There are no principals."
