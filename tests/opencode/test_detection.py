"""Detection of the OpenCode at an address, from replies of both generations, previews, and other programs."""

import json
from collections.abc import Mapping
from contextlib import aclosing

import pytest

from opencode_mcp.errors import BackendFailed, BackendTimeout, NotOpenCode, Unauthorized, UnsupportedVersion
from opencode_mcp.opencode.detection import detect
from opencode_mcp.opencode.http_client.clock import Clock
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.versions import Generation
from tests.harness.servers.opencode import OpenCode

pytestmark = pytest.mark.anyio


def as_json(value: object, status: int = 200, media_type: str = "application/json; charset=utf-8") -> Reply:
    return Reply(status=status, headers={"content-type": media_type}, body=json.dumps(value).encode())


PAGE = Reply(status=200, headers={"content-type": "text/html"}, body=b"<!doctype html><title>OpenCode</title>")
MISSING = Reply(status=404)
STARTING = as_json({"code": "service_starting"}, 503)
INFO: dict[str, object] = {"version": "2.1.2", "pid": 7, "urls": [], "paths": {"tmp": "/tmp"}}  # noqa: S108 - only a text
RELEASED_2 = {"/api/info": as_json(INFO)}
RELEASED_1 = {
    "/global/health": as_json({"healthy": True, "version": "1.18.33"}),
    "/api/health": as_json({"healthy": True}),
}
PREVIEW_2 = {"/api/health": as_json({"healthy": True, "version": "0.0.0-next-16350", "pid": 7})}


class Answering:
    """A sender whose server gives a fixed reply to each path, and one reply to all others."""

    def __init__(self, replies: Mapping[str, Reply], others: Reply = PAGE, *, expected: Generation = 1) -> None:
        self.clock = Clock()
        self.replies = replies
        self.others = others
        self.expected: Generation = expected
        self.asked: list[str] = []

    async def generation(self) -> Generation:
        """Return the generation that the bridge expects."""
        return self.expected

    async def send(self, request: HttpRequest, *, timeout: float = 30, queued: bool = True) -> Reply:  # noqa: ARG002 - as a transport's
        """Return the reply to a path, and note the path."""
        self.asked.append(request.path)
        return self.reply(request.path)

    def reply(self, path: str) -> Reply:
        """Return the reply to a path."""
        return self.replies.get(path, self.others)


@pytest.mark.parametrize("expected", [1, 2])
@pytest.mark.parametrize("others", [PAGE, MISSING])
async def test_each_generation_is_recognised_whichever_was_expected_and_whatever_unknown_paths_answer(
    expected: Generation, others: Reply
) -> None:
    first = await detect(Answering(RELEASED_1, others, expected=expected), timeout=1)
    second = await detect(Answering(RELEASED_2, others, expected=expected), timeout=1)
    assert (first.generation, first.version) == (1, "1.18.33")
    assert (second.generation, second.version) == (2, "2.1.2")


@pytest.mark.parametrize(("server", "major"), [(RELEASED_1, 1), (RELEASED_2, 2)])
async def test_the_expected_generation_takes_one_request(server: Mapping[str, Reply], major: Generation) -> None:
    sender = Answering(server, expected=major)
    await detect(sender, timeout=1)
    assert len(sender.asked) == 1


async def test_an_opencode_1_that_has_the_path_of_the_other_generation_is_still_an_opencode_1() -> None:
    later = {**RELEASED_1, "/api/info": as_json({**INFO, "version": "1.20.0"})}
    assert (await detect(Answering(later, expected=2), timeout=1)).generation == 1


async def test_a_preview_is_refused_with_its_version_and_what_to_install() -> None:
    with pytest.raises(UnsupportedVersion, match=r"0\.0\.0-next-16350\) is a preview of OpenCode 2") as refused:
        await detect(Answering(PREVIEW_2, MISSING, expected=2), timeout=1)
    assert "@opencode/cli" in refused.value.hint


async def test_a_wrong_password_is_unauthorized_for_both_generations() -> None:
    for expected in (1, 2):
        for refusal in (as_json({"_tag": "UnauthorizedError"}, 401), Reply(status=401)):
            with pytest.raises(Unauthorized) as refused:
                await detect(Answering({}, refusal, expected=expected), timeout=1)
            for part in ("--password", "always opencode", "pairing token"):
                assert part in refused.value.hint


async def test_a_starting_server_is_waited_for() -> None:
    class Ready(Answering):
        def reply(self, path: str) -> Reply:
            return STARTING if len(self.asked) == 1 else super().reply(path)

    sender = Ready(RELEASED_2, expected=2)
    assert (await detect(sender, timeout=5)).generation == 2
    assert sender.asked == ["/api/info", "/api/info"]


async def test_a_server_that_goes_on_starting_is_a_time_out_that_says_so() -> None:
    with pytest.raises(BackendTimeout, match=r"still starting.*503"):
        await detect(Answering({}, STARTING), timeout=0.3)


@pytest.mark.parametrize(
    "strange",
    [
        PAGE,
        MISSING,
        Reply(status=302),
        as_json([]),
        as_json({"version": "2.1.2"}),
        as_json({"version": 2, "pid": 7}),
        as_json({"version": "2.1.2", "pid": 7}, media_type="text/plain"),
        as_json({"version": "2.1.2", "pid": 7}, 500),
        as_json({"healthy": False, "version": "1.18.33"}),
        Reply(status=200, headers={"content-type": "application/json"}, body=b"{"),
    ],
)
async def test_another_program_is_not_taken_for_opencode_and_its_answer_is_described(strange: Reply) -> None:
    with pytest.raises(NotOpenCode) as refused:
        await detect(Answering({}, strange), timeout=1)
    assert f"with status {strange.status} and {strange.media_type or 'no content type'}" in refused.value.hint


async def test_what_is_not_http_is_not_opencode() -> None:
    class Garbage(Answering):
        def reply(self, path: str) -> Reply:
            raise BackendFailed(f"{path} is not HTTP")

    with pytest.raises(NotOpenCode, match="not HTTP"):
        await detect(Garbage({}), timeout=1)


async def test_a_real_opencode_1_is_recognised_when_the_other_generation_was_expected(
    opencode_server: OpenCode,
) -> None:
    endpoint = Endpoint(url=opencode_server.url, password=opencode_server.password, generation=2)
    async with aclosing(Transport(endpoint)) as transport:
        assert (await detect(transport, timeout=20)).generation == 1
