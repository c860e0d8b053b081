"""Tokens of principals: random, shown once, and stored as digests.

A token has 256 random bits, so nobody can find it by trying, and its digest needs no slow hash.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "ocmcp_"
"""Beginning of every token, by which scanners for secrets recognise one."""
RANDOM_BYTES = 32


def new_token() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def digest_of(token: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def matching(token: str, digests: Iterable[str]) -> str:
    """Return the digest that belongs to a token, in the same time wherever it is; empty if none does."""
    own, found = digest_of(token), ""
    for digest in digests:
        if hmac.compare_digest(own, digest):
            found = digest
    return found
