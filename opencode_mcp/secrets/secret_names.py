"""Names that mark secrets.

Pure, and the only definition of such names: data, text and command arguments are all judged by these words.
"""

import re
from functools import lru_cache
from itertools import pairwise

NAMES_KEPT = 4096
"""Number of names whose result is cached: texts assign values to the same few names again and again."""

WORDS = re.compile(
    "apikey|authorization|bearer|cookies?|credentials?|jwt|passphrase|passwd|password|pwd|secrets?|ticket|token"
)
"""Words that make a name a secret's: ``authToken``, ``set-cookie``, ``OPENAI_TOKEN``."""
NAMES = re.compile("access|auth|key|oauthstate|refresh")
KINDS_OF_KEY = re.compile(
    "access|account|admin|api|app|deploy|encryption|license|master|private|secret|service|shared|signing|storage|"
    "subscription"
)
"""Pairs of words that do: ``apiKey``, ``secretAccessKey``; a plain ``sortKey`` is no secret."""
ABOUT_A_SECRET = re.compile("endpoint|expiry|field|file|hint|id|label|length|limit|name|path|policy|type|ur[il]")
"""Endings that make a name something else again: ``authorizationUrl``, ``credentialID``, ``token_type``."""
ALSO_ENGLISH = re.compile("access|auth|bearer|key|oauthstate|refresh|ticket")
"""Names that are ordinary words in a sentence and therefore no sign of a secret there: ``key: Enter``."""
SIGNATURES = frozenset({"sig", "signature"})
"""Signatures of URLs; elsewhere such a name belongs to a function."""
PASSWORDS = re.compile("passphrase|passwd|password|pwd")
"""Names of passwords, which people choose, so that the value need not look random."""


def split_name(name: str) -> list[str]:
    """Return the words of a name in lower case; they are the same for ``apiKey``, ``api-key`` and ``API_KEY``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", apart.lower())


def plain_name(name: str) -> str:
    """Return a name in lower case without separators."""
    return "".join(split_name(name))


def is_secret(name: str) -> bool:
    """Return True if a name marks a secret, as ``apiKey``, ``X-Auth-Token`` and ``client_secret`` do."""
    words = split_name(name)
    if words and ABOUT_A_SECRET.fullmatch(words[-1]):
        return False
    key = any(word == "key" and KINDS_OF_KEY.fullmatch(before) for before, word in pairwise(words))
    return key or NAMES.fullmatch("".join(words)) is not None or any(map(WORDS.fullmatch, words))


@lru_cache(maxsize=NAMES_KEPT)
def is_secret_parameter(name: str) -> bool:
    """Return True if the name of a URL parameter marks a secret."""
    return is_secret(name) or not SIGNATURES.isdisjoint(split_name(name))


@lru_cache(maxsize=NAMES_KEPT)
def is_plainly_secret(name: str) -> bool:
    """Return True if a name marks a secret and cannot be an ordinary word of a sentence."""
    return is_secret(name) and ALSO_ENGLISH.fullmatch(plain_name(name)) is None


@lru_cache(maxsize=NAMES_KEPT)
def is_password(name: str) -> bool:
    """Return True if a name is that of a password."""
    return is_secret(name) and any(map(PASSWORDS.fullmatch, split_name(name)))
