"""Scope of a bridge's batches: a digest of everything that decides what its runs may do.

A bridge starts the tasks of its own scope only, and those of others do not exist for it: another bridge may have other
directories, permissions or limits, another OpenCode, or another principal's token.
"""

import hashlib
import hmac
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from opencode_mcp.disk.state_folder import shared_key
from opencode_mcp.launcher.provider_environment import fingerprint

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

INDIFFERENT = frozenset(
    {
        "abort_on_cancel",
        "environment",
        "flags",
        "forwarded_allow",
        "http",
        "http_host",
        "http_origin",
        "insecure_no_auth",
        "key_file",
        "log_level",
        "max_cost_a_day",
        "max_runs",
        "metrics",
        "missing_scopes",
        "oauth",
        "principals",
        "runs_at_once",
        "started_in",
        "state_directory",
        "stop_after",
        "toolsets",
        "wait",
    }
)
"""Settings that decide nothing about a run. Every other one does, those that are added later included."""

UNORDERED = ("allow", "deny")
"""Settings that are lists whose order decides nothing."""


def scope_of(settings: "Settings") -> str:
    """Return the scope of a bridge with some settings.

    Raises:
        InvalidSetting: The state folder cannot be used.
    """
    key = shared_key(settings.state_directory)
    decisive = {name: value for name, value in asdict(settings).items() if name not in INDIFFERENT}
    # The folder of the start is the only project if none is listed, as it would be if it were listed.
    directories = settings.directories or (str(settings.started_in),)
    decisive["directories"] = [os.path.normpath(directory) for directory in directories]
    decisive |= {name: sorted(set(decisive[name])) for name in UNORDERED}
    if not settings.attached:
        decisive["server"] = fingerprint(settings.environment, key)
    # Without ``default``, a value of another kind is an error: the text of a set, say, differs between processes.
    text = json.dumps(decisive, sort_keys=True)
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
