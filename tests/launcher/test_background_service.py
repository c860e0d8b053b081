"""The user's background service of OpenCode 2 is found by its registration, and only if the operator says so."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_mcp.errors import BackendUnavailable, InvalidSetting, NotOpenCode, OpenCodeNotInstalled
from opencode_mcp.launcher.background_service import (
    is_registered,
    registration_file,
    running_service,
    service_endpoint,
)
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.processes.process_table import born
from opencode_mcp.settings import Settings
from tests.harness.servers.opencode import free_port
from tests.launcher.test_attach import something_else

pytestmark = pytest.mark.anyio
PASSWORD = "the password of the service"
INFO = b'{"version": "2.1.2", "pid": 1, "urls": [], "paths": {"tmp": "/tmp"}}'
URL = "http://127.0.0.1:49374"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environment = {"HOME": str(tmp_path), "PATH": ""}
    return Settings(attach="service", environment=environment, state_directory=tmp_path / "state")


@pytest.fixture
def service() -> Iterator[str]:
    """A server of this process that answers as an OpenCode 2 does."""
    with something_else("application/json", INFO) as url:
        yield url


def register(settings: Settings, **fields: object) -> Path:
    path = registration_file(settings.environment)
    path.parent.mkdir(parents=True)
    said = {"id": "x", "version": "2.1.2", "url": URL, "pid": os.getpid(), "password": PASSWORD, **fields}
    path.write_text(json.dumps(said), encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_registered_service_is_attached_to_as_its_own_process(
    settings: Settings, service: str, name: str
) -> None:
    register(settings, url=service.replace("127.0.0.1", name) + "/")
    endpoint = await Launcher(settings).locate()
    assert (endpoint.url, endpoint.username, endpoint.password) == (service, "opencode", PASSWORD)
    assert (endpoint.generation, endpoint.pid, endpoint.is_service) == (2, os.getpid(), True)
    assert not settings.state_directory.exists()


async def test_it_is_not_attached_to_unless_the_operator_says_so(settings: Settings, service: str) -> None:
    register(settings, url=service)
    alone = Settings(opencode="/absent", environment=settings.environment, state_directory=settings.state_directory)
    with pytest.raises(OpenCodeNotInstalled):
        await Launcher(alone).locate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process 1")
@pytest.mark.parametrize("pid", [1, os.getppid()], ids=["the first process", "the parent of the one that listens"])
async def test_its_password_is_not_sent_to_another_program_at_its_address(
    settings: Settings, service: str, pid: int
) -> None:
    path = register(settings, url=service, pid=pid)
    with pytest.raises(BackendUnavailable, match=f"Another program listens at {service}") as caught:
        await Launcher(settings).locate()
    assert f"{path} names this address and process {pid}" in caught.value.hint
    assert running_service(settings) is None


async def test_where_nothing_listens_the_registration_is_named(settings: Settings) -> None:
    path = register(settings, url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(BackendUnavailable, match="does not answer") as caught:
        await Launcher(settings).locate()
    assert str(path) in caught.value.hint
    assert "opencode serve --service" in caught.value.hint


async def test_a_registered_program_that_is_no_opencode_is_refused_with_the_registration(settings: Settings) -> None:
    with something_else("text/html", b"<html></html>") as url:
        path = register(settings, url=url)
        with pytest.raises(NotOpenCode, match="is not an OpenCode server") as caught:
            await Launcher(settings).locate()
    assert str(path) in caught.value.hint


def test_a_service_that_has_ended_is_reported_with_its_process_and_its_file(settings: Settings) -> None:
    gone = next(pid for pid in range(4_000_000, 5_000_000) if not born(pid))
    path = register(settings, pid=gone)
    with pytest.raises(BackendUnavailable, match=f"process {gone}, registered in {path}") as caught:
        service_endpoint(settings)
    assert "opencode serve --service" in caught.value.hint


def test_where_none_is_registered_the_file_is_named(settings: Settings) -> None:
    with pytest.raises(BackendUnavailable, match=str(registration_file(settings.environment))):
        service_endpoint(settings)


@pytest.mark.parametrize(
    "url", ["http://192.168.1.5:49374", "https://127.0.0.1:49374", "http://127.0.0.1", "file:///x", "", "http://[x"]
)
def test_an_address_that_is_not_on_this_machine_is_refused(settings: Settings, url: str) -> None:
    register(settings, url=url)
    with pytest.raises(InvalidSetting, match="not one of a service on this machine") as caught:
        service_endpoint(settings)
    assert "--url" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 5}', '{"url": "http://127.0.0.1:1"}'])
def test_a_file_that_is_no_registration_is_reported(settings: Settings, content: str) -> None:
    register(settings).write_text(content, encoding="utf-8")
    with pytest.raises(InvalidSetting, match="is not a registration") as caught:
        service_endpoint(settings)
    assert PASSWORD not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows itself protects a user's folders from other users")
def test_a_file_that_others_could_have_written_is_refused(settings: Settings) -> None:
    register(settings).chmod(0o666)
    with pytest.raises(InvalidSetting, match="another user") as caught:
        service_endpoint(settings)
    assert "chmod 600" in caught.value.hint


def test_a_url_is_compared_with_the_registered_one(settings: Settings) -> None:
    register(settings)
    for url, same in ((URL, True), ("http://localhost:49374", True), ("http://127.0.0.1:1", False), ("", False)):
        assert is_registered(Settings(url=url, environment=settings.environment)) == same


def test_a_service_runs_while_its_registered_process_listens(settings: Settings, service: str) -> None:
    assert running_service(settings) is None
    path = register(settings, url=service)
    assert running_service(settings) == os.getpid()
    path.write_text("{", encoding="utf-8")
    assert running_service(settings) is None


def test_the_file_is_where_opencode_has_its_state() -> None:
    assert registration_file({"HOME": "/home/me"}) == Path("/home/me/.local/state/opencode/service.json")
    assert registration_file({"HOME": "/home/me", "XDG_STATE_HOME": "/s"}) == Path("/s/opencode/service.json")


def test_no_text_shows_the_password(settings: Settings) -> None:
    register(settings)
    assert PASSWORD not in repr(service_endpoint(settings))
