"""Environment in which the bridge runs git: the variables that git needs, and none that may hold a secret. Pure."""

from collections.abc import Mapping

NO_PROGRAM = "true"
"""Program that does nothing, in place of one that git would start."""
VARIABLES: Mapping[str, str] = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # Git reports no progress, so it goes on to the end if the bridge is killed and nobody reads its output.
    "GIT_PROGRESS_DELAY": "1000000",
    "GIT_EDITOR": NO_PROGRAM,
    "GIT_SEQUENCE_EDITOR": NO_PROGRAM,
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": NO_PROGRAM,
    # An empty list of protocols: no object is fetched, so no program for a network is started.
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
}
INHERITED = frozenset(
    {
        *("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "TMP", "TEMP"),
        *("USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT"),
        *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)
"""Variables that git gets from the bridge: where programs and a person's settings are, and nothing else."""


def git_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git: of the bridge's variables only those that it needs, which hold no secret."""
    kept = {name: value for name, value in inherited.items() if name.upper() in INHERITED}
    return {**kept, **VARIABLES}
