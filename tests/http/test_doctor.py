"""The doctor's checks of serving HTTP."""

from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.doctor.http_checks import http_findings
from opencode_mcp.http.address import Address
from opencode_mcp.http.principals.tokens import digest_of

PRINCIPAL = f'[principals.laptop]\ntoken_sha256 = "{digest_of("token")}"\ndirectories = ["/p"]\n'


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
    assert {name: grade for name, (grade, _) in found.items()} == dict.fromkeys(found, "FAIL")
    assert "Cannot listen" in found["HTTP address"][1]
    assert "would not be authenticated" in found["HTTP clients"][1]


def test_serving_without_authentication_is_a_warning() -> None:
    settings = Settings(http="127.0.0.1:0", insecure_no_auth=True)
    assert grades(settings)["HTTP clients"][0] == "warn"
    assert grades(replace(settings, http="0.0.0.0:0", http_host=("name",)))["HTTP clients"][0] == "FAIL"
