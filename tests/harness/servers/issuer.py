"""An issuer of access tokens on loopback: its metadata, its keys, tokens of every kind, and faults."""

import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.harness.servers.threaded_server import served_in_thread

KEYS_PATH = "/keys"
METADATA_PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
CLIENT = "client-1"
"""Client that the issuer knows."""
AUDIENCE = "https://agents.example.com/mcp"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


_making = threading.Lock()


def private_key(name: str) -> PrivateKey:
    """The private key of a name, which begins with its algorithm, as ``RS256-new``; the same for every thread."""
    with _making:
        return _made(name)


@cache
def _made(name: str) -> PrivateKey:
    match name.partition("-")[0]:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(65537, 2048)


def public_entry(name: str) -> dict[str, Any]:
    """The entry of a key in the JWKS document."""
    key = private_key(name)
    match key:
        case rsa.RSAPrivateKey():
            entry = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            entry = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            entry = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**entry, "kid": name, "use": "sig", "alg": name.partition("-")[0]}


@dataclass
class Issuer:
    """A running issuer."""

    url: str = ""
    published: list[str] = field(default_factory=lambda: ["RS256-1", "ES256-1", "EdDSA-1"])
    """Names of the keys in its document."""
    replies: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict[str, Any])
    """Status, headers and content of a path that is answered otherwise."""
    asked: list[str] = field(default_factory=list[str])
    """Paths of all requests, in their order."""

    def claims(self, **changed: object) -> dict[str, object]:
        """The claims of a good token, changed; one that is None is left out."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "client_id": CLIENT,
            "iat": now,
            "exp": now + 600,
            "scope": "opencode:read opencode:write opencode:execute",
        } | changed
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: str = "RS256-1", kid: str | None = "", typ: str = "JWT", **changed: object) -> str:
        """A good token, or one with other claims.

        Args:
            key: Name of the key that signs.
            kid: Name of the key in the header; None: none.
            typ: Type in the header.
            changed: Other claims.
        """
        headers = {"typ": typ} if kid is None else {"typ": typ, "kid": kid or key}
        return jwt.encode(self.claims(**changed), private_key(key), key.partition("-")[0], headers)

    def document(self, path: str) -> Mapping[str, object] | None:
        """The document at a path."""
        if path == KEYS_PATH:
            return {"keys": [public_entry(name) for name in self.published]}
        if path in METADATA_PATHS:
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}{KEYS_PATH}",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        return None

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of the answer to a request."""
        self.asked.append(path)
        document = self.document(path)
        content = b"" if document is None else json.dumps(document).encode()
        usual = (404 if document is None else 200, {"content-type": "application/json"}, content)
        return self.replies.get(path, usual)


@contextmanager
def running_issuer(port: int = 0) -> Generator[Issuer]:
    """Serve until the block ends."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*issuer.answer(self.path))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            content = json.dumps({"access_token": issuer.token(), "token_type": "Bearer", "expires_in": 600}).encode()
            self._send(200, {"content-type": "application/json"}, content)

        def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    with served_in_thread(server):
        yield issuer
