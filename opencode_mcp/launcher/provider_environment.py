"""Environment variables that decide which providers and accounts an OpenCode uses, and a fingerprint of their values.

Two bridges share a server only if these are equal; otherwise the second would work with the keys of the first.
Pure, apart from the hash.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

COUNTED = re.compile(
    # Keys and accounts of model providers.
    r".*_API_(KEY|TOKEN)|(GITHUB|GITLAB|HF)_TOKEN|(AWS|AZURE|CLOUDFLARE|DATABRICKS|GOOGLE|SNOWFLAKE|VERTEX)_.*"
    r"|(ANTHROPIC|OPENAI)_.*"
    # OpenCode's own settings, and the folders of its accounts and sessions.
    r"|OPENCODE_(?!MCP_|SERVER_|BIN$|PID$).*|HOME|USERPROFILE|(LOCAL)?APPDATA|XDG_(CONFIG|DATA|STATE|CACHE)_HOME"
    # Network path to the providers.
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS",
    re.IGNORECASE,
)
LENGTH = 16


def counted(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that count, by name."""
    return {name: environment[name] for name in sorted(environment) if COUNTED.fullmatch(name)}


def fingerprint(environment: Mapping[str, str], key: bytes) -> str:
    """Return a keyed hash of the variables that count; without the key it reveals nothing of their values."""
    text = json.dumps(counted(environment), sort_keys=True)
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:LENGTH]
