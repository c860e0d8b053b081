"""The names by which secrets go.

Pure, and the one place that says so: what is data, a text or the arguments of a command is judged by the same words.
"""

import re
from functools import lru_cache
from itertools import pairwise

NAMES_KEPT = 4096
"""Names whose answer is remembered: a text gives values to the same few names again and again."""

WORDS = re.compile(
    "apikey|authorization|bearer|cookies?|credentials?|jwt|passphrase|passwd|password|pwd|secrets?|ticket|token"
)
"""A name that holds one of these words is a secret's: ``authToken``, ``set-cookie``, ``OPENAI_TOKEN``."""
NAMES = re.compile("access|auth|key|oauthstate|refresh")
KINDS_OF_KEY = re.compile(
    "access|account|admin|api|app|deploy|encryption|license|master|private|secret|service|shared|signing|storage|"
    "subscription"
)
"""``apiKey``, ``secretAccessKey``; a plain ``sortKey`` is none."""
ABOUT_A_SECRET = re.compile("endpoint|expiry|field|file|hint|id|label|length|limit|name|path|policy|type|ur[il]")
"""A name that ends so is of something else: ``authorizationUrl``, ``credentialID``, ``token_type``."""
ALSO_ENGLISH = re.compile("access|auth|bearer|key|oauthstate|refresh|ticket")
"""Names that are too common as words to give a secret away in a sentence: ``key: Enter``."""
SIGNATURES = frozenset({"sig", "signature"})
"""What opens a URL; elsewhere it is that of a function."""
PASSWORDS = re.compile("passphrase|passwd|password|pwd")
"""What a person may have made up, so that it need not look like chance."""


def words_of(name: str) -> list[str]:
    """A name's words in lower case, as ``apiKey``, ``api-key`` and ``API_KEY`` have the same."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", apart.lower())


def plain_name(name: str) -> str:
    """A name in small letters, without what stands between its words."""
    return "".join(words_of(name))


def is_secret(name: str) -> bool:
    """Whether what goes by a name is a secret, as ``apiKey``, ``X-Auth-Token`` and ``client_secret`` say."""
    words = words_of(name)
    if words and ABOUT_A_SECRET.fullmatch(words[-1]):
        return False
    key = any(word == "key" and KINDS_OF_KEY.fullmatch(before) for before, word in pairwise(words))
    return key or NAMES.fullmatch("".join(words)) is not None or any(map(WORDS.fullmatch, words))


@lru_cache(maxsize=NAMES_KEPT)
def is_secret_parameter(name: str) -> bool:
    """Whether a parameter of a URL that goes by a name is a secret."""
    return is_secret(name) or not SIGNATURES.isdisjoint(words_of(name))


@lru_cache(maxsize=NAMES_KEPT)
def is_plainly_secret(name: str) -> bool:
    """Whether a name is a secret's and could not be a mere word of a sentence."""
    return is_secret(name) and ALSO_ENGLISH.fullmatch(plain_name(name)) is None


@lru_cache(maxsize=NAMES_KEPT)
def is_password(name: str) -> bool:
    """Whether a name is that of a password."""
    return is_secret(name) and any(map(PASSWORDS.fullmatch, words_of(name)))
