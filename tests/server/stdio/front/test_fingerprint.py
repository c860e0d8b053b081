"""The digest of the fingerprint changes with all that can change the first responses, and with nothing else."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import opencode_mcp
from opencode_mcp.options import OPTIONS, IsolationSetup, VerifyCommand
from opencode_mcp.server.stdio.front.fingerprint import fingerprint_of
from opencode_mcp.settings import Settings
from tests.server.stdio.front.early import LEGACY, MODERN, first_messages, responses_of_sdk, settings_in

SELECTING: dict[str, Any] = {"toolsets": ("all",), "read_only": True, "allow": ("execute",), "deny": ("execute",)}
OTHERS: dict[str, Any] = {
    "url": "http://127.0.0.1:4096",
    "username": "somebody",
    "password": "a long password",
    "attach": "service",
    "directories": ("/projects/*",),
    "model": "anthropic/claude",
    "agent": "plan",
    "opencode": "/usr/bin/opencode",
    "permissions": "reject",
    "permission_rules": {"bash": {"*": "allow"}},
    "max_cost": 0.5,
    "max_minutes": 5.0,
    "max_steps": 7,
    "verify_seconds": 7.0,
    "max_runs": 7,
    "max_cost_a_day": 7.0,
    "runs_at_once": 7,
    "isolation": IsolationSetup((".env",), "make"),
    "on_finish": ("notify",),
    "on_finish_url": "https://reports.example",
    "on_finish_key": "key",
    "verify": {"test": VerifyCommand("make test")},
    "wait": 5.0,
    "abort_on_cancel": True,
    "stop_after": 60.0,
    "max_depth": 3,
    "http": "127.0.0.1:8700",
    "http_host": ("bridge.example",),
    "http_origin": ("https://page.example",),
    "forwarded_allow": ("127.0.0.1",),
    "metrics": "127.0.0.1:9464",
    "insecure_no_auth": True,
    "key_file": "",
    "principals": {"laptop": {}},
    "oauth": {"issuer": "https://issuer.example"},
    "principal": "laptop",
    "log_level": "ERROR",
    "depth": 1,
    "inside": "/somewhere",
    "environment": {"PATH": "/bin"},
}


def test_every_setting_is_known_to_this_test() -> None:
    assert {option.name for option in OPTIONS} <= {*SELECTING, *OTHERS}


def test_settings_that_select_tools_count() -> None:
    digests = {fingerprint_of(replace(Settings(), **{name: value})) for name, value in SELECTING.items()}
    assert len(digests | {fingerprint_of(Settings())}) == len(SELECTING) + 1


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for its pipes: the SDK answers")
@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_no_other_setting_changes_a_response(protocol: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    expected = await responses_of_sdk(settings, first_messages(protocol))
    changed = replace(settings, **OTHERS)
    assert fingerprint_of(changed) == fingerprint_of(settings)
    assert (
        await responses_of_sdk(replace(changed, state_directory=tmp_path / "fresh"), first_messages(protocol))
        == expected
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package in place of the installed one."""
    copied = tmp_path / "opencode_mcp"
    shutil.copytree(Path(opencode_mcp.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(opencode_mcp, "__file__", str(copied / "__init__.py"))
    return copied


def test_an_edited_package_counts(package: Path) -> None:
    before = fingerprint_of(Settings())
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_text("x")
    assert fingerprint_of(Settings()) == before
    digests = [before]
    (package / "server" / "tools" / "runs.py").write_text("x")
    digests.append(fingerprint_of(Settings()))
    (package / "server" / "more.py").touch()
    digests.append(fingerprint_of(Settings()))
    next(package.rglob("operations.json")).touch()
    digests.append(fingerprint_of(Settings()))
    assert len(set(digests)) == len(digests)


def test_another_version_of_the_package_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_of(Settings())
    monkeypatch.setattr(opencode_mcp, "__version__", "9.9.9")
    assert fingerprint_of(Settings()) != before


def test_another_version_of_an_installed_package_or_of_python_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digests = [fingerprint_of(Settings())]
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for version in ("2.3.0", "2.3.1"):
        (tmp_path / f"mcp-{version}.dist-info").mkdir()
        digests.append(fingerprint_of(Settings()))
    monkeypatch.setattr(sys, "version", "3.99")
    digests.append(fingerprint_of(Settings()))
    assert len(set(digests)) == 4
