"""The doctor's checks of serving HTTP."""

from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.doctor import running_bridge
from opencode_mcp.doctor.http_checks import http_findings
from opencode_mcp.http.address import Address
from opencode_mcp.http.principals.principal_tokens import digest_of
from opencode_mcp.settings import Settings
from tests.harness.servers.issuer import running_issuer

PRINCIPAL = f'[principals.laptop]\ntoken_sha256 = "{digest_of("token")}"\ndirectories = ["/p"]\n'


OAUTH_PRINCIPAL = '[principals.alice]\nsubjects = ["alice"]\ndirectories = ["/a"]\n'


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the doctor not wait for programs that take a connection and answer nothing."""
    monkeypatch.setattr(running_bridge, "TIMEOUT_SECONDS", 0.2)


def grades(settings: Settings) -> dict[str, tuple[str, str]]:
    return {finding.check: (finding.grade, finding.text) for finding in http_findings(settings)}


def test_nothing_is_checked_without_an_address() -> None:
    assert grades(Settings()) == {}


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_principals_and_the_modes_of_their_file_are_checked(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config.toml"
    path.write_text(PRINCIPAL, encoding="utf-8")
    path.chmod(mode)
    settings = Settings(http="127.0.0.1:0", principals={"laptop": {}}, environment={"OPENCODE_MCP_CONFIG": str(path)})
    found = grades(settings)
    assert found["HTTP address"][0] == "ok"
    assert found["HTTP clients"][0] == ("ok" if mode == 0o600 else "warn")
    assert "principals: laptop" in found["HTTP clients"][1]
    assert found["shared key"][0] == "ok"


def test_what_prevents_serving_is_a_failure(tmp_path: Path) -> None:
    with Address("127.0.0.1").bind() as taken:
        settings = Settings(http=f"127.0.0.1:{taken.getsockname()[1]}", key_file=str(tmp_path / "none"))
        found = grades(settings)
    failed = dict.fromkeys(("HTTP address", "HTTP clients", "shared key"), "FAIL")
    assert {name: grade for name, (grade, _) in found.items()} == failed | {"issuer": "ok", "metrics": "ok"}
    assert "Cannot listen" in found["HTTP address"][1]
    assert "would not be authenticated" in found["HTTP clients"][1]


def test_a_shared_key_needs_a_shared_opencode(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o600)
    settings = Settings(http="127.0.0.1:0", insecure_no_auth=True, key_file=str(path))
    assert "need one OpenCode" in grades(settings)["shared key"][1]
    assert grades(replace(settings, url="http://127.0.0.1:4096"))["shared key"][1] == f"in {path}"


def test_the_address_of_metrics_is_checked() -> None:
    settings = Settings(http="127.0.0.1:0", metrics="127.0.0.1:0")
    assert grades(settings)["metrics"][0] == "ok"
    assert grades(replace(settings, metrics="0.0.0.0:0"))["metrics"][0] == "warn"
    with Address("127.0.0.1").bind() as taken:
        settings = replace(settings, metrics=f"127.0.0.1:{taken.getsockname()[1]}")
        assert "Cannot listen" in grades(settings)["metrics"][1]


def test_serving_without_authentication_is_a_warning() -> None:
    settings = Settings(http="127.0.0.1:0", insecure_no_auth=True)
    assert grades(settings)["HTTP clients"][0] == "warn"
    assert grades(replace(settings, http="0.0.0.0:0", http_host=("name",)))["HTTP clients"][0] == "FAIL"


@pytest.mark.parametrize(
    ("principals", "resource", "grade", "said"),
    [
        (OAUTH_PRINCIPAL, "http://127.0.0.1:8700/mcp", "ok", "has 3 keys (RS256, ES256, EdDSA); audience: http://127"),
        (PRINCIPAL, "http://127.0.0.1:8700/mcp", "warn", "no principal is for its tokens"),
        (OAUTH_PRINCIPAL, "https://agents.example.com/mcp", "warn", "refuses requests for agents.example.com"),
    ],
)
def test_the_issuer_of_access_tokens_is_checked(
    tmp_path: Path, principals: str, resource: str, grade: str, said: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(principals, encoding="utf-8")
    with running_issuer() as issuer:
        settings = Settings(
            http="127.0.0.1:0",
            principals={"one": {}},
            oauth={"issuer": issuer.url, "resource": resource},
            environment={"OPENCODE_MCP_CONFIG": str(path)},
        )
        found = grades(settings)["issuer"]
    assert found[0] == grade
    assert said in found[1]
    down = grades(settings)["issuer"]
    assert down[0] == "FAIL"
    assert "gives no metadata" in down[1]


def test_a_wrong_table_of_oauth_is_a_failure() -> None:
    found = grades(Settings(http="127.0.0.1:0", insecure_no_auth=True, oauth={"issuer": "x"}))
    assert (found["issuer"][0], found["HTTP clients"][0]) == ("FAIL", "FAIL")
    assert "oauth has no resource" in found["issuer"][1]
