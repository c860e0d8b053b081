"""A wait ends at the latest with the access token of its call."""

import math
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from starlette.requests import Request

from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS
from opencode_mcp.http.oauth.user import USER, user_of
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.server.waiting.token_end import token_end_of

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import BridgeContext

pytestmark = pytest.mark.anyio


def call_with(request: object) -> "BridgeContext":
    return cast("BridgeContext", SimpleNamespace(request_context=SimpleNamespace(request=request)))


def of_token(expires: float) -> Request:
    user = user_of({"sub": "alice", "iss": "issuer", "exp": expires})
    return Request({"type": "http", USER: user})


@pytest.mark.parametrize("request_", [None, Request({"type": "http"}), Request({"type": "http", USER: "other"})])
async def test_a_call_without_an_access_token_has_no_such_end(request_: object) -> None:
    assert token_end_of(call_with(request_)) == math.inf


async def test_the_end_is_that_of_the_token_by_a_clock_that_may_differ() -> None:
    expires = time.time() + 1000
    before = anyio.current_time()
    end = token_end_of(call_with(of_token(expires)))
    assert 0 <= before + 1000 + CLOCK_SKEW_SECONDS - end <= 1 + anyio.current_time() - before


async def test_a_wait_is_put_off_by_a_form_and_not_beyond_the_end_of_its_token() -> None:
    now = anyio.current_time()
    assert Deadline(now + 10, latest=now + 5).at == now + 5
    deadline = Deadline(now, latest=now + 5)
    with deadline.paused():
        deadline.at += 1000
    assert deadline.at == now + 5
