"""Settings that keep git from starting any other program, whatever a repository or a person has configured.

Git runs programs that its configuration names: hooks, filters, merge drivers, a monitor of files, signers, editors,
helpers for passwords. The bridge works with files that an agent has written, and an agent may be able to choose which
of these programs runs on which file. So none runs. Git has a switch for most of them; filters, merge drivers and the
hooks of newer versions have names, so each one that is configured is replaced by name.

A filter that is off passes a file on as it is: a file of Git LFS is then its pointer. ``filtered_files.py`` refuses to
change such files in a person's checkout.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from itertools import chain

from opencode_mcp.processes.git_environment import NO_PROGRAM

NAMED_PROGRAMS = r"^(filter\..+\.(clean|smudge|process|required)|merge\..+\.driver|hook\..+\.(command|event))$"
"""Settings with a name of the repository's choice that run a program, as git's ``--get-regexp`` takes it."""
FILTER = re.compile(r"filter\.(?P<name>.+)\.(clean|smudge|process)", re.DOTALL)
HOOK = re.compile(r"(?P<hook>hook\..+)\.(command|event)", re.DOTALL)
FIXED: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "core.sshCommand": NO_PROGRAM,
    "core.gitProxy": NO_PROGRAM,
    "core.askPass": NO_PROGRAM,
    "core.editor": NO_PROGRAM,
    "core.pager": "cat",
    "core.alternateRefsCommand": NO_PROGRAM,
    "core.safecrlf": "false",
    "core.quotePath": "false",
    "credential.helper": "",
    "diff.external": "",
    "diff.ignoreSubmodules": "all",
    "submodule.recurse": "false",
    "gpg.program": NO_PROGRAM,
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "merge.verifySignatures": "false",
    "merge.autoStash": "false",
    "merge.directoryRenames": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
"""Switches for what has one; the last of them keep git from doing more than it was asked to."""


def replaced_programs(names: Iterable[str], program: str) -> dict[str, str]:
    """Return settings that replace the programs of some settings.

    Args:
        names: Settings that match ``NAMED_PROGRAMS``.
        program: Path of git.
    """
    return dict(chain.from_iterable(_replacement(name, program).items() for name in names))


def filter_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of the filters that some settings define."""
    return frozenset(found["name"] for name in names if (found := FILTER.fullmatch(name)))


def _replacement(name: str, program: str) -> dict[str, str]:
    if name.startswith("merge."):
        # Git's own merge of texts: a driver cannot be taken away, and without a command the merge fails.
        return {name: f"{shlex.quote(program)} merge-file -q --marker-size=%L %A %O %B || exit 1"}
    if hook := HOOK.fullmatch(name):
        return {f"{hook['hook']}.enabled": "false", f"{hook['hook']}.command": NO_PROGRAM}
    return {name: "false" if name.endswith(".required") else ""}


def as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which git takes settings; they win over those of every file."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
