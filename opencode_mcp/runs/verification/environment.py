"""Environment of a command that runs what an agent has written: variables that tools need, and no secret. Pure."""

import re
from collections.abc import Collection, Mapping

from opencode_mcp.processes.git_environment import INHERITED
from opencode_mcp.secrets.secret_names import is_secret

NAMES = INHERITED | {
    *("USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "CI", "DISPLAY", "COLUMNS", "NO_COLOR"),
    *("USERNAME", "SYSTEMROOT", "PROGRAMFILES", "PROGRAMFILES(X86)", "COMMONPROGRAMFILES", "NUMBER_OF_PROCESSORS"),
    *("VIRTUAL_ENV", "JAVA_HOME", "JDK_HOME", "DOTNET_ROOT", "ANDROID_HOME", "ANDROID_SDK_ROOT", "MAVEN_HOME"),
    *("LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS"),
}
FAMILIES = re.compile(
    r"(LC|XDG|PYTHON|PYTEST|UV|PIP|CONDA|POETRY|NODE|NPM_CONFIG|NVM|PNPM|YARN|BUN|DENO|GO|CARGO|RUST|RUSTUP|GEM|BUNDLE"
    r"|RUBY|COMPOSER|PHP|GRADLE|CMAKE|NIX|ASDF|MISE|PLAYWRIGHT)_?.*"
)
"""Families of variables, of which each tool has many."""


def command_environment(inherited: Mapping[str, str], more: Collection[str]) -> dict[str, str]:
    """Return the variables of the bridge that such a command gets.

    Args:
        inherited: Variables of the bridge.
        more: Names of those that the operator has chosen besides.
    """
    return {name: value for name, value in inherited.items() if name in more or _passes(name)}


def _passes(name: str) -> bool:
    known = name.upper() in NAMES or FAMILIES.fullmatch(name.upper()) is not None
    return known and not is_secret(name)
