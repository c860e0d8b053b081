"""A client of the released contract reads the proxy: every reply has its shape, every error its class."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx
import pytest
from opencode import (
    AsyncOpencode,
    AuthenticationError,
    CommandNotFoundError,
    FormNotFoundError,
    InvalidCursorError,
    InvalidRequestError,
    LocationNotFoundError,
    MessageNotFoundError,
    NotImplementedServerError,
    PermissionNotFoundError,
    RemoteFileNotFoundError,
    ServiceUnavailableError,
    SessionNotFoundError,
)
from opencode.types import LocationPublicRef

from tests.harness.opencode2.contract.unknown_fields import unknown_fields
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.http import loopback_client

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
NO_SESSION, NO_MESSAGE = "ses_none", "msg_none"
Call = Callable[[AsyncOpencode], Awaitable[object]]

READS = (
    "agent.list",
    "command.list",
    "config.get",
    "debug.location.list",
    "file.list",
    "form.list",
    "integration.list",
    "location.get",
    "mcp.list",
    "mcp.resource.catalog",
    "model.default",
    "model.list",
    "permission.request_.list",
    "permission.saved.list",
    "plugin.list",
    "project.list",
    "provider.list",
    "pty.list",
    "reference.list",
    "server.info",
    "shell.list",
    "skill.list",
    "vcs.get",
    "vcs.status",
    "websearch.providers",
)

ERRORS: dict[type[Exception], Call] = {
    SessionNotFoundError: lambda client: client.session.get(NO_SESSION),
    PermissionNotFoundError: lambda client: _with_session(
        client, lambda session: client.permission.reply(session, "per_none", decision="once")
    ),
    FormNotFoundError: lambda client: _with_session(client, lambda session: client.session.form.get(session, "frm_x")),
    MessageNotFoundError: lambda client: _with_session(
        client, lambda session: client.session.message.get(session, NO_MESSAGE)
    ),
    CommandNotFoundError: lambda client: _with_session(
        client, lambda session: client.session.command(session, name="nosuch", text="")
    ),
    LocationNotFoundError: lambda client: client.session.create(location=LocationPublicRef(directory="/no/such/place")),
    RemoteFileNotFoundError: lambda client: client.file.read("no/such/file.txt"),
    InvalidRequestError: lambda client: _with_session(
        client, lambda session: client.session.prompt(session, id="wrong_prefix", text="x")
    ),
    InvalidCursorError: lambda client: _first_page(client, NO_SESSION),
    NotImplementedServerError: lambda client: client.location.reload(),
}


async def _with_session(client: AsyncOpencode, call: Callable[[str], Awaitable[object]]) -> object:
    return await call((await client.session.create()).id)


async def _first_page(client: AsyncOpencode, _session: str) -> object:
    made = await client.session.create()
    return await client.message.list(made.id, cursor="nonsense")


async def test_the_replies_to_reads_have_the_shape_of_the_contract(settled: AsyncOpencode) -> None:
    strays: dict[str, list[str]] = {}
    for name in READS:
        call = attrgetter(name)(settled)
        found = unknown_fields(await call())
        strays |= {name: found} if found else {}
    assert strays == {}


async def test_the_server_is_a_released_version(client: AsyncOpencode, opencode2: OpenCode2) -> None:
    info = await client.server.info()
    assert info.version == "2.1.2"
    assert info.pid == opencode2.process.pid
    assert info.urls == [opencode2.url]


async def test_agents_models_and_commands_are_those_of_the_configuration(settled: AsyncOpencode) -> None:
    assert {"build", "plan", "asking"} <= {agent.id for agent in (await settled.agent.list()).data}
    assert [model.id for model in (await settled.model.list()).data] == ["m1", "m2"]
    default = (await settled.model.default()).data
    assert default
    assert (default.provider_id, default.id) == ("scripted", "m1")
    assert "greet" in [command.name for command in (await settled.command.list()).data]


async def test_the_configuration_is_a_list_of_documents_and_folders(client: AsyncOpencode) -> None:
    entries: list[Any] = list(await client.config.get())
    models = [entry.info.model for entry in entries if entry.type == "document"]
    assert [model for model in models if model] == ["scripted/m1"]
    assert all(entry.path.startswith("/") for entry in entries if entry.type == "directory")


async def test_the_project_is_known_by_its_place_and_branch(client: AsyncOpencode, shared_project: Path) -> None:
    await client.session.create()
    place = await client.location.get()
    assert place.project.canonical == str(shared_project)
    assert str(shared_project) in [project.canonical for project in await client.project.list()]
    assert (await client.vcs.get()).data.branch.current == "main"


async def test_files_are_listed_found_and_read(client: AsyncOpencode) -> None:
    listed = {entry.path for entry in (await client.file.list()).data}
    assert {"README.md", "src/", "docs/"} <= listed
    found = [entry.path for entry in (await client.file.find(query="greet")).data]
    assert "src/greet.py" in found
    assert b"three" in await client.file.read("docs/notes.txt")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
async def test_an_error_is_of_its_class(client: AsyncOpencode, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await ERRORS[kind](client)


async def test_a_missing_directory_in_the_query_is_an_error(client: AsyncOpencode, tmp_path: Path) -> None:
    with pytest.raises(LocationNotFoundError):
        await client.with_options(directory=tmp_path / "none").agent.list()


async def test_a_wrong_password_is_refused_in_json(client: AsyncOpencode, opencode2: OpenCode2) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await client.with_options(password="wrong").server.info()
    assert caught.value.error_tag == "UnauthorizedError"
    async with loopback_client(opencode2.url) as http:
        assert (await http.get("/api/info")).json()["_tag"] == "UnauthorizedError"


@pytest.mark.parametrize("path", ["/global/health", "/api/health", "/session", "/api/no-such-thing"])
async def test_an_unknown_route_is_the_web_page_or_404(switched_back: OpenCode2, path: str) -> None:
    async with switched_back.client() as http:
        reply = await http.get(path)
        assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (200, "text/html")
        switched_back.switch(unknown_is_404=True)
        assert (await http.get(path)).status_code == httpx.codes.NOT_FOUND


async def test_a_server_that_is_starting_says_so(client: AsyncOpencode, switched_back: OpenCode2) -> None:
    switched_back.switch(starting=True)
    with pytest.raises(ServiceUnavailableError) as caught:
        await client.server.info()
    assert caught.value.response.headers["retry-after"] == "1"
