"""A bridge that accepts the access tokens of an issuer, and what clients of both eras get. No OpenCode is needed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
from mcp import Client as McpClient
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from opencode_mcp.http.failure_rate_limit import ATTEMPTS
from opencode_mcp.http.principals.principal_tokens import digest_of, new_token
from tests.harness.bridges.bridge import CALL, Era, connected, text_of
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.servers.http import NO_CERTIFICATES, loopback_client
from tests.harness.servers.issuer import Issuer, running_issuer
from tests.harness.servers.opencode import free_port
from tests.http.oauth.test_access_tokens import BAD
from tests.http.operator import HEADERS, STREAM, Operator, listed, names

pytestmark = pytest.mark.anyio

READ, WRITE, EXECUTE = (f"opencode:{effect}" for effect in ("read", "write", "execute"))
WRONG = (
    "not valid yet",
    "wrong audience",
    "wrong issuer",
    "none",
    "signed with the public key",
    "unknown key",
    "signed by another key",
)
PROTECTED = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Site:
    """A bridge with its issuer and its operator."""

    served: Served
    issuer: Issuer
    operator: Operator
    laptop: str
    """A token of a principal's own."""

    @property
    def challenge(self) -> str:
        """Beginning of the response to a client without a valid token."""
        return 'Bearer realm="opencode-mcp"'

    @property
    def metadata(self) -> str:
        """The part with the address of the metadata."""
        return f'resource_metadata="{self.served.base}{PROTECTED}/mcp"'


def settings_text(issuer: str, port: int, folder: Path, laptop: str) -> str:
    """The settings file of a bridge at a port, where one principal has a token of its own."""
    return "\n".join(
        [
            "[oauth]",
            f'issuer = "{issuer}"',
            f'resource = "http://127.0.0.1:{port}/mcp"',
            'audience = ["https://agents.example.com/mcp"]',
            "",
            "[principals.alice]",
            'subjects = ["alice"]',
            f'directories = ["{folder / "alice"}"]',
            'allow = ["session.shell"]',
            "",
            "[principals.shop]",
            'claims = { groups = ["shop-team"] }',
            f'directories = ["{folder / "shop"}"]',
            "",
            "[principals.laptop]",
            f'token_sha256 = "{digest_of(laptop)}"',
            f'directories = ["{folder / "laptop"}"]',
            "",
        ]
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    operator, port, laptop = Operator(tmp_path_factory.mktemp("oauth")), free_port(), new_token()
    with running_issuer() as issuer:
        text = settings_text(issuer.url, port, operator.settings.parent, laptop)
        operator.settings.write_text(text, encoding="utf-8")
        with serving(operator.launch, "--log-level", "DEBUG", address=f"127.0.0.1:{port}") as served:
            yield Site(served, issuer, operator, laptop)


async def test_the_reply_to_a_request_without_a_token_names_where_to_get_one(site: Site) -> None:
    refused = await listed(site.served)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == f'{site.challenge}, scope="{READ} {WRITE} {EXECUTE}", {site.metadata}'
    assert f"{site.served.base}{PROTECTED}/mcp names its issuer" in refused.text


@pytest.mark.parametrize("path", [PROTECTED, f"{PROTECTED}/mcp"])
async def test_the_metadata_names_the_issuer(site: Site, path: str) -> None:
    async with loopback_client(site.served.base) as http:
        answer = await http.get(path)
    assert answer.json() == {
        "resource": site.served.url,
        "authorization_servers": [site.issuer.url],
        "scopes_supported": [READ, WRITE, EXECUTE, "opencode:admin"],
        "bearer_methods_supported": ["header"],
        "resource_name": "opencode-mcp",
    }


@pytest.mark.both_eras
async def test_an_access_token_is_accepted_beside_tokens_of_principals(site: Site, era: Era) -> None:
    for token in (site.issuer.token(), site.issuer.token("EdDSA-1"), site.laptop):
        async with connected(site.served.url, site.served.launch, era=era, token=token) as bridge:
            tools = {tool.name for tool in (await bridge.client.list_tools()).tools}
            assert ("opencode_run" in tools, "opencode_shell" in tools) == (True, token != site.laptop)


@pytest.mark.both_eras
async def test_scopes_narrow_what_a_client_may_do(site: Site, era: Era) -> None:
    token = site.issuer.token(scope=READ)
    async with connected(site.served.url, site.served.launch, era=era, token=token) as bridge:
        tools = {tool.name for tool in (await bridge.client.list_tools()).tools}
        assert "opencode_session" in tools
        assert tools.isdisjoint({"opencode_run", "opencode_abort", "opencode_revert", "opencode_shell"})
        if era == "2025":
            refused = await bridge.call("opencode_run", prompt="x")
            assert refused.is_error
            assert f"the access token of this client lacks {EXECUTE} and {WRITE}." in text_of(refused)
    writes = names(await listed(site.served, site.issuer.token(scope=f"{READ} {WRITE}")))
    assert "opencode_revert" in writes
    assert writes.isdisjoint({"opencode_run", "opencode_shell"})


@pytest.mark.parametrize("tool", ["opencode_abort", "opencode_call_operation"])
async def test_a_call_that_needs_another_scope_says_which(site: Site, tool: str) -> None:
    client = Client("2026-07-28")
    params = {"name": tool, "arguments": {"session_id": "ses_1"}, "_meta": client.envelope()}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    token = site.issuer.token(scope=f"{READ} {EXECUTE}")
    headers = HEADERS | {"Mcp-Method": "tools/call", "Mcp-Name": tool, "Authorization": f"Bearer {token}"}
    async with loopback_client(site.served.base) as http:
        refused = await http.post("/mcp", json=body, headers=headers)
    assert refused.status_code == 403
    expected = f'{site.challenge}, error="insufficient_scope", scope="{WRITE}", {site.metadata}'
    assert refused.headers["www-authenticate"] == expected
    entries = [json.loads(line) for line in site.served.launch.printed().splitlines() if line.startswith('{"log": "')]
    access, audit = entries[-2:]
    assert [entry["log"] for entry in (access, audit)] == ["access", "audit"]
    for entry in (access, audit):
        assert (entry["subject"], entry["tool"], entry["outcome"]) == ("alice", tool, "refused")
    assert audit["refused_by"] == f"scope {WRITE}"


async def test_the_refusal_of_a_token_that_may_not_read_names_the_scope(site: Site) -> None:
    refused = await listed(site.served, site.issuer.token(scope="openid"))
    assert refused.status_code == 403
    expected = f'{site.challenge}, error="insufficient_scope", scope="{READ}", {site.metadata}'
    assert refused.headers["www-authenticate"] == expected


async def test_every_kind_of_wrong_token_is_refused(site: Site) -> None:
    for name in WRONG:
        token = BAD[name][0](site.issuer)
        refused = await listed(site.served, token)
        assert refused.status_code == 401, name
        assert refused.headers["www-authenticate"].startswith(f'{site.challenge}, error="invalid_token", scope=')
        assert token not in refused.text
        assert token not in site.served.launch.printed()


async def test_a_refusal_names_the_kind_of_token_that_came(site: Site) -> None:
    own, expired, opaque = [
        await listed(site.served, token) for token in (new_token(), BAD["expired"][0](site.issuer), "opaque")
    ]
    assert "opencode-mcp token new" in own.text
    assert "The access token is not accepted: it has expired." in expired.text
    for refused in (expired, opaque):
        assert "names its issuer" in refused.text
        assert "opencode-mcp token" not in refused.text


async def test_expired_tokens_are_reported_however_many_come(site: Site) -> None:
    expired = BAD["expired"][0](site.issuer)
    assert {(await listed(site.served, expired)).status_code for _ in range(ATTEMPTS + 2)} == {401}


async def test_a_right_token_of_nobody_is_refused_and_the_log_says_whose_it_is(site: Site) -> None:
    refused = await listed(site.served, site.issuer.token(sub="eve"))
    assert refused.status_code == 403
    assert "eve" not in refused.text
    assert "an access token for the subject 'eve' belongs to no principal" in site.served.launch.printed()
    assert "opencode_run" in names(await listed(site.served, site.issuer.token(sub="eve", groups=["shop-team"])))


async def test_a_new_key_of_the_issuer_is_accepted_at_once(site: Site) -> None:
    site.issuer.published.append("ES256-new")
    names(await listed(site.served, site.issuer.token("ES256-new")))


async def test_the_log_names_the_subject_and_no_token(site: Site) -> None:
    token = site.issuer.token(sub="bob", groups=["shop-team"])
    async with connected(site.served.url, site.served.launch, token=token) as bridge:
        await bridge.call("opencode_abort", session_id="ses_1")
    entries = [json.loads(line) for line in site.served.launch.printed().splitlines() if line.startswith('{"log": "')]
    audited = [entry for entry in entries if entry["log"] == "audit"][-1]
    assert (audited["principal"], audited["subject"], audited["tool"]) == ("shop", "bob", "opencode_abort")
    assert token not in site.served.launch.printed()
    assert "eyJ" not in site.served.launch.printed()


async def test_a_session_belongs_to_the_subject_that_opened_it(site: Site) -> None:
    bob, carol = (site.issuer.token(sub=name, groups=["shop-team"]) for name in ("bob", "carol"))
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    }
    async with loopback_client(site.served.base, headers={"Accept": HEADERS["Accept"]}) as http:
        opened = await http.post("/mcp", json=hello, headers={"Authorization": f"Bearer {bob}"})
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        renewed = site.issuer.token(sub="bob", groups=["shop-team"], jti="2")
        statuses = [
            (await http.post("/mcp", json=ping, headers=session | {"Authorization": f"Bearer {token}"})).status_code
            for token in (carol, bob, renewed)
        ]
    assert statuses == [404, 200, 200]


async def test_a_subject_that_the_settings_do_not_name_any_more_is_cut_off(site: Site) -> None:
    text = site.operator.settings.read_text(encoding="utf-8")
    headers = HEADERS | {"Mcp-Method": "subscriptions/listen", "Authorization": f"Bearer {site.issuer.token()}"}
    async with (
        loopback_client(site.served.base) as http,
        http.stream("POST", "/mcp", json=STREAM, headers=headers) as stream,
    ):
        assert stream.status_code == 200
        site.operator.settings.write_text(text.replace('"alice"]', '"someone-else"]'), encoding="utf-8")
        with anyio.fail_after(20):
            assert (await stream.aread()).startswith(b"event: message")
    assert (await listed(site.served, site.issuer.token())).status_code == 403
    # A file that is replaced counts at once, also if it becomes shorter.
    restored = site.operator.settings.with_suffix(".new")
    restored.write_text(text, encoding="utf-8")
    restored.replace(site.operator.settings)
    assert (await listed(site.served, site.issuer.token())).status_code == 200


class Storage:
    """Keeps what a client has, in memory."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = OAuthClientInformationFull(
            client_id="client-1", redirect_uris=[AnyUrl("http://127.0.0.1/back")], token_endpoint_auth_method="none"
        )

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep new tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The client, as the issuer knows it."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep another client."""
        self.client = client_info


async def test_a_client_of_the_sdk_finds_the_issuer_and_gets_its_token_there(site: Site) -> None:
    opened: list[str] = []

    async def redirect(url: str) -> None:
        opened.append(url)

    async def back() -> AuthorizationCodeResult:
        state = parse_qs(urlsplit(opened[0]).query)["state"][0]
        return AuthorizationCodeResult(code="code", state=state)

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl("http://127.0.0.1/back")], client_name="test")
    auth = OAuthClientProvider(site.served.url, metadata, Storage(), redirect, back)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=CALL, trust_env=False, verify=NO_CERTIFICATES) as http,
        McpClient(streamable_http_client(site.served.url, http_client=http)) as client,
    ):
        assert "opencode_run" in {tool.name for tool in (await client.list_tools()).tools}
    assert len(opened) == 1
    asked = parse_qs(urlsplit(opened[0]).query)
    assert opened[0].startswith(f"{site.issuer.url}/authorize?")
    assert (asked["resource"], asked["scope"]) == ([site.served.url], [f"{READ} {WRITE} {EXECUTE}"])


async def test_the_issuer_may_be_down_at_first_and_again_later(tmp_path: Path) -> None:
    operator, port, issuer_port, laptop = Operator(tmp_path), free_port(), free_port(), new_token()
    url = f"http://127.0.0.1:{issuer_port}"
    operator.settings.write_text(settings_text(url, port, tmp_path, laptop), encoding="utf-8")
    early = Issuer(url).token()
    with serving(operator.launch, "--log-level", "WARNING", address=f"127.0.0.1:{port}") as served:
        refused = await listed(served, early)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert (await listed(served, laptop)).status_code == 200
        with running_issuer(issuer_port) as issuer:
            assert (await listed(served, issuer.token())).status_code == 200
        assert (await listed(served, early)).status_code == 200
        assert re.search(r"the keys of the issuer cannot be read: .*ConnectError", served.launch.printed())
