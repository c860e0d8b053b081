"""Public keys of an issuer, from its JWKS document (RFC 7517)."""

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import jwt

from opencode_mcp.text.json_values import as_list, as_map, as_maps, as_text
from opencode_mcp.text.quantities import quantity

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Signatures that are accepted. All of them need a private key that only the issuer has."""
KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
MOST_KEYS = 100
LEAST_RSA_BITS = 2048


class KeySet:
    """Keys that verify signatures.

    Args:
        document: The JWKS document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._keys = tuple(islice(_usable(document), MOST_KEYS))

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms of the keys, each once."""
        return tuple(dict.fromkeys(key.algorithm_name for key in self._keys))

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """Return the key that a token names.

        Args:
            key_id: Name of the key; empty if the token names none, which is enough where only one key can be meant.
            algorithm: Algorithm of the token's signature.
        """
        fitting = [key for key in self._keys if key.algorithm_name == algorithm and key_id in {"", key.key_id}]
        return fitting[0] if len(fitting) == 1 or (fitting and key_id) else None


def _usable(document: Mapping[str, Any]) -> Iterator[jwt.PyJWK]:
    """Yield the keys that can verify signatures; a key of another kind, or a broken one, is left out."""
    broken: list[str] = []
    for entry in filter(_is_for_signatures, as_maps(document.get("keys"))):
        try:
            key = jwt.PyJWK(dict(entry))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            broken.append(type(error).__name__)
            continue
        if key.algorithm_name in ALGORITHMS and _is_long_enough(key):
            yield key
    if broken:
        logger.warning("%s of the issuer cannot be used: %s", quantity(len(broken), "key"), broken[0])


def _is_for_signatures(entry: Mapping[str, object]) -> bool:
    operations = as_list(entry.get("key_ops", ["verify"]))
    return entry.get("kty") in KEY_TYPES and as_text(entry.get("use", "sig")) == "sig" and "verify" in operations


def _is_long_enough(key: jwt.PyJWK) -> bool:
    return key.key_type != "RSA" or key.key.key_size >= LEAST_RSA_BITS


def key_set_of(document: object) -> KeySet:
    """Return the keys in a document."""
    return KeySet(as_map(document))
