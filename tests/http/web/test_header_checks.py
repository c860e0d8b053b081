"""Names of the bridge and pages that may use it; requests for others are refused, and few of them are logged."""

import logging
from typing import Any

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.address import Address
from opencode_mcp.http.failure_rate_limit import ATTEMPTS
from opencode_mcp.http.web.header_checks import AllowedNames, HeaderChecks, allowed_names
from opencode_mcp.http.web.request_target import read_target
from opencode_mcp.settings import Settings

pytestmark = pytest.mark.anyio

OWN = ("bridge.example", "bridge.example:443", "localhost:8700", "[::1]:8700", "127.0.0.1", "localhost:")
FOREIGN = ("", "192.0.2.1", "localhost:1@evil.example", "localhost:x", "localhost.evil.example", "[::1]x", "a b")
ALLOWED = AllowedNames(hosts=frozenset({"localhost"}), origins=frozenset({"https://page.example"}))


def test_clients_may_use_the_names_of_the_bridge_and_no_others() -> None:
    allowed = allowed_names(Settings(http_host=("bridge.example",)), Address("0.0.0.0", 8700))  # noqa: S104
    assert all(map(allowed.has_host, OWN))
    assert not any(map(allowed.has_host, FOREIGN))


def test_a_name_with_a_port_is_allowed_with_that_port_only() -> None:
    allowed = allowed_names(Settings(http_host=("bridge.example:8443",)), Address("127.0.0.1", 8700))
    assert allowed.has_host("bridge.example:8443")
    assert not allowed.has_host("bridge.example")
    assert not allowed.has_host("bridge.example:84430")


def test_an_address_that_names_no_host_needs_the_names_of_the_bridge() -> None:
    with pytest.raises(InvalidSetting, match="--http-host"):
        allowed_names(Settings(), Address("0.0.0.0", 8700))  # noqa: S104


def test_web_pages_are_refused_unless_they_are_named() -> None:
    allowed = allowed_names(Settings(http_origin=("https://page.example",)), Address("127.0.0.1", 8700))
    assert allowed.origins == {
        "https://page.example",
        "http://127.0.0.1:8700",
        "http://localhost:8700",
        "http://[::1]:8700",
    }


async def test_a_flood_of_requests_for_other_hosts_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    checks = HeaderChecks(ALLOWED)
    for number in range(5 * ATTEMPTS):
        assert status(checks, request(f"{number}.example")) == 421
        assert status(checks, request("localhost", b"https://other.example")) == 403
    assert len(caplog.records) == ATTEMPTS


async def test_a_network_of_one_client_counts_as_one_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    checks = HeaderChecks(ALLOWED)
    for number in range(5 * ATTEMPTS):
        checks.refusal(request("evil.example", client=f"2001:db8::{number}"))
    checks.refusal(request("evil.example", client="2001:db8:1::1"))
    assert len(caplog.records) == ATTEMPTS + 1


async def test_a_name_in_the_log_is_one_short_line(caplog: pytest.LogCaptureFixture) -> None:
    HeaderChecks(ALLOWED).refusal(request("a\x1b\x85" + "b" * 1000))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.isprintable()
    assert len(line) < 200


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        (b"http://Evil.example/mcp", b"Evil.example", "/mcp"),
        (b"HTTPS://evil.example:8/a%20b", b"evil.example:8", "/a b"),
        (b"http://evil.example", b"evil.example", "/"),
        (b"http://localhost@evil.example/mcp", b"localhost@evil.example", "/mcp"),
        (b"/http://evil.example/", b"localhost", "/http://evil.example/"),
    ],
)
def test_the_host_of_a_whole_url_counts(target: bytes, host: bytes, path: str) -> None:
    scope = request("localhost")
    scope.update(raw_path=target, path=target.decode())
    read_target(scope)
    assert (scope["headers"], scope["path"]) == ([(b"host", host)], path)


def request(host: str, origin: bytes = b"", client: str = "192.0.2.1") -> dict[str, Any]:
    origins = [(b"origin", origin)] if origin else []
    return {"client": (client, 1), "headers": [(b"host", host.encode("latin-1")), *origins]}


def status(checks: HeaderChecks, scope: dict[str, Any]) -> int:
    response = checks.refusal(scope)
    return response.status_code if response else 200
