"""Environment variables that decide which providers and accounts an OpenCode uses, and a fingerprint of their values.

Two bridges share a server only if these are equal; otherwise the second would work with the keys of the first.
Pure, apart from the hashes and the resolution of links.
"""

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping

from opencode_mcp.launcher.data_folder import data_home

COUNTED = re.compile(
    # Keys and accounts of model providers.
    r".*_API_(KEY|TOKEN)|(GITHUB|GITLAB|HF)_TOKEN|(AWS|AZURE|CLOUDFLARE|DATABRICKS|GOOGLE|SNOWFLAKE|VERTEX)_.*"
    r"|(ANTHROPIC|OPENAI)_.*"
    # OpenCode's own settings, and the folders of its accounts and sessions.
    r"|OPENCODE_(?!MCP_|SERVER_|PASSWORD$|BIN$|PID$).*|HOME|USERPROFILE|(LOCAL)?APPDATA|XDG_(CONFIG|DATA|STATE|CACHE)_HOME"
    # Network path to the providers.
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS",
    re.IGNORECASE,
)
DIGEST_CHARACTERS = 16


def counted(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that count, by name."""
    return {name: environment[name] for name in sorted(environment) if COUNTED.fullmatch(name)}


def fingerprint(environment: Mapping[str, str], key: bytes) -> str:
    """Return a keyed hash of the variables that count; without the key it reveals nothing of their values."""
    return _digest(counted(environment), key)


def fingerprints(environment: Mapping[str, str], key: bytes) -> dict[str, str]:
    """Return a keyed hash of each variable that counts, by name."""
    return {name: _digest({name: value}, key) for name, value in counted(environment).items()}


def differing(these: Mapping[str, str], those: Mapping[str, str]) -> list[str]:
    """Return the names whose hashes are not the same in two results of ``fingerprints``."""
    return sorted(name for name in these.keys() | those.keys() if these.get(name) != those.get(name))


def data_fingerprint(environment: Mapping[str, str], key: bytes) -> str:
    """Return a keyed hash of the place of OpenCode 2's data: two environments with the same one share a database."""
    folder = os.path.realpath(data_home(environment))
    return _digest({"data": folder, "database": environment.get("OPENCODE_DB", "")}, key)


def _digest(variables: Mapping[str, str], key: bytes) -> str:
    text = json.dumps(variables, sort_keys=True)
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]
