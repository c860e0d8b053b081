"""Addresses at which a person signs in: the host that is named is the one that a browser opens."""

import pytest

from opencode_mcp.server.operations.handlers.blocking import host_of
from tests.harness.each import for_each


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://auth.example.com/authorize?client_id=a%20b&state=x#y", "auth.example.com"),
        ("http://127.0.0.1:8080/", "127.0.0.1"),
        ("http://[::1]:8080/", "::1"),
        ("https://shop.example@evil.example/", "evil.example"),
    ],
)
def test_the_host_of_an_address_is_named(url: str, host: str) -> None:
    assert host_of(url) == host


@for_each(
    "url",
    [
        r"https://evil.example\@shop.example/",
        "https://evil.example\t@shop.example/",
        "https://shop.example\N{RIGHT-TO-LEFT OVERRIDE}.example/",
        "https://[shop.example/",
        "https://\N{ACCOUNT OF}.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_that_may_lead_elsewhere_has_no_host(url: str) -> None:
    assert host_of(url) == ""
