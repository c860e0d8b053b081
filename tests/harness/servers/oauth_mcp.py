"""A remote MCP server that wants its users signed in, on loopback: just enough of OAuth for OpenCode to ask for it.

A person would open the address that OpenCode gives; ``sign_in`` does what the person's browser would.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.harness.servers.threaded_server import served_in_thread

CODE = "code-of-the-person"
ACCESS = "access-token-of-the-person"
HELLO: dict[str, object] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": dict[str, object]()},
    "serverInfo": {"name": "signed-in", "version": "1"},
}


class _Handler(BaseHTTPRequestHandler):
    """Answers what OpenCode asks on its way to a token, and refuses all else without one."""

    protocol_version = "HTTP/1.1"
    """OpenCode sends its next request on a connection that HTTP/1.0 would close under it."""

    def do_GET(self) -> None:
        base = f"http://{self.headers['host']}"
        path = urlsplit(self.path).path
        if path.startswith("/.well-known/oauth-protected-resource"):
            self._answer(200, {"resource": f"{base}/mcp", "authorization_servers": [base]})
        elif path.startswith(("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")):
            self._answer(200, _metadata(base))
        else:
            self._refuse()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        match urlsplit(self.path).path:
            case "/register":
                self._answer(201, {**json.loads(body), "client_id": "client-of-the-test"})
            case "/token":
                good = parse_qs(body.decode()).get("code") == [CODE]
                token = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 3600}
                self._answer(200 if good else 400, token if good else {"error": "invalid_grant"})
            case "/mcp" if self.headers.get("authorization") == f"Bearer {ACCESS}":
                self._speak(json.loads(body))
            case _:
                self._refuse()

    def _speak(self, message: dict[str, object]) -> None:
        """Shake hands as an MCP server that has no tools."""
        if "id" not in message:
            self._answer(202, None)
            return
        result: dict[str, object] = HELLO if message["method"] == "initialize" else {"tools": []}
        self._answer(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _refuse(self) -> None:
        metadata = f"http://{self.headers['host']}/.well-known/oauth-protected-resource/mcp"
        self._answer(401, {"error": "unauthorized"}, {"www-authenticate": f'Bearer resource_metadata="{metadata}"'})

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a failing test shows what the bridge and OpenCode printed."""


def _metadata(base: str) -> dict[str, object]:
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "registration_endpoint": f"{base}/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }


@dataclass(frozen=True, slots=True)
class OAuthServer:
    """A running one."""

    url: str
    """Of its MCP endpoint."""


@contextmanager
def running_oauth_mcp() -> Generator[OAuthServer]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    with served_in_thread(server):
        yield OAuthServer(f"http://127.0.0.1:{server.server_port}/mcp")
