"""Attaching to a server that the operator named."""

import socket
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, NotOpenCode, Unauthorized, UnsupportedVersion
from opencode_mcp.launcher import launcher
from opencode_mcp.launcher.health import check
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.versions import OLDEST
from opencode_mcp.settings import Settings
from tests.harness.faults.altered import altered
from tests.harness.opencode2.standin.app import PASSWORD, running_standin
from tests.harness.servers.opencode import OpenCode, free_port
from tests.harness.servers.threaded_server import served_in_thread

pytestmark = pytest.mark.anyio


@contextmanager
def something_else(media_type: str, body: bytes) -> Generator[str]:
    """A web server that answers everything with the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    with served_in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


async def test_a_named_server_is_attached_to_and_never_stopped(opencode_server: OpenCode, tmp_path: Path) -> None:
    settings = Settings(url=opencode_server.url, password=opencode_server.password, state_directory=tmp_path / "state")
    async with aclosing(Launcher(settings)) as attached:
        endpoint = await attached.locate()
    assert endpoint == Endpoint(url=opencode_server.url, password=opencode_server.password)
    assert (await check(endpoint, timeouts=[20])).healthy
    assert not settings.state_directory.exists()


async def test_a_wrong_password_is_unauthorized(opencode_server: OpenCode) -> None:
    with pytest.raises(Unauthorized, match="--password"):
        await Launcher(Settings(url=opencode_server.url, password="wrong")).locate()


async def test_where_nothing_listens_the_error_names_the_url() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(BackendUnavailable, match=url):
        await Launcher(Settings(url=url)).locate()


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/html", b"<html>Welcome</html>"),
        ("application/json", b'{"status": "ok"}'),
        ("application/json", b'{"healthy": false, "version": "1"}'),
        ("application/json", b"[]"),
        ("application/json", b"not json"),
        ("text/plain", b"OK"),
        ("text/plain", b""),
    ],
)
async def test_what_is_no_opencode_is_reported_with_its_url(media_type: str, body: bytes) -> None:
    with something_else(media_type, body) as url, pytest.raises(NotOpenCode, match=url):
        await Launcher(Settings(url=url)).locate()


async def test_an_opencode_from_before_there_was_a_health_route_is_reported_as_too_old(
    opencode_server: OpenCode,
) -> None:
    with altered(opencode_server.url) as older:
        older.lacks |= {"/global/health"}
        settings = Settings(url=older.url, password=opencode_server.password)
        with pytest.raises(UnsupportedVersion, match=f"older than {OLDEST}.* works with {OLDEST} to "):
            await Launcher(settings).locate()


@pytest.mark.parametrize("version", ["1.3.2", "1.2.27"])
async def test_an_opencode_that_says_an_old_version_is_refused(opencode_server: OpenCode, version: str) -> None:
    with altered(opencode_server.url) as older:
        older.version = version
        with pytest.raises(UnsupportedVersion, match=version):
            await Launcher(Settings(url=older.url, password=opencode_server.password)).locate()


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "ATTACH_TIMEOUTS_SECONDS", (0.1, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(BackendTimeout):
        await Launcher(Settings(url=f"http://127.0.0.1:{listener.getsockname()[1]}")).locate()


# OpenCode 2: the stand-in answers as its contract says


@pytest.mark.parametrize("unknown_is_404", [True, False])
async def test_an_opencode_2_is_attached_to_as_such(*, unknown_is_404: bool) -> None:
    async with running_standin() as server:
        server.switches.unknown_is_404 = unknown_is_404
        endpoint = await Launcher(Settings(url=server.url, password=server.password)).locate()
    assert (endpoint.generation, endpoint.process) == (2, None)


@pytest.mark.parametrize(("username", "password"), [("opencode", "wrong"), ("opencode", ""), ("somebody", PASSWORD)])
async def test_wrong_credentials_of_an_opencode_2_are_unauthorized(username: str, password: str) -> None:
    async with running_standin() as server:
        settings = Settings(url=server.url, username=username, password=password, environment={"HOME": "/nowhere"})
        with pytest.raises(Unauthorized) as caught:
            await Launcher(settings).locate()
    assert "The user name of OpenCode 2 is always opencode" in caught.value.hint


async def test_an_opencode_2_that_goes_on_starting_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "ATTACH_TIMEOUTS_SECONDS", (0.2, 0.2))
    async with running_standin() as server:
        server.switches.starting = True
        with pytest.raises(BackendTimeout, match="still starting"):
            await Launcher(Settings(url=server.url, password=server.password)).locate()
