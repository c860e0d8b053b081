"""Replies of the proxy's own: errors in the released server's form, and its web page."""

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.harness.opencode2.proxy.pages import BadPage
from tests.harness.opencode2.proxy.upstream import Refused
from tests.harness.opencode2.switches import Switches

DEFECT = 500
"""The status with which the preview fails without a body."""
PAGE = "<!doctype html><html><head><title>OpenCode</title></head><body></body></html>"


def failed(status: int, tag: str, message: str, **more: object) -> JSONResponse:
    """An error as the released server writes it."""
    return JSONResponse({"_tag": tag, "message": message, **more}, status)


def not_presented(what: str) -> JSONResponse:
    """The reply to what the preview engine cannot do; the released server can."""
    return failed(501, "NotPresented", f"The preview engine cannot present this: {what}")


def unknown_route(switches: Switches) -> Response:
    """The reply to a request that the contract does not have."""
    return Response(status_code=404) if switches.unknown_is_404 else HTMLResponse(PAGE)


def no_location(directory: str) -> JSONResponse:
    """The reply to a request for a directory that is not there."""
    message = f"Location not found: {directory}"
    return failed(404, "LocationNotFoundError", message, location={"directory": directory})


def bad_page(_request: Request, error: Exception) -> Response:
    """Answer a request for an impossible page."""
    assert isinstance(error, BadPage)
    return failed(400, error.tag, str(error), **error.more)


def refused(_request: Request, error: Exception) -> Response:
    """Pass on what the engine answered."""
    assert isinstance(error, Refused)
    return passed(error.reply)


def passed(reply: httpx.Response) -> Response:
    """Pass a reply on as it is; a defect of the engine gets the body that the contract gives it."""
    if reply.status_code == DEFECT and not reply.content:
        return failed(500, "UnknownError", "The engine failed without saying why.", ref="preview")
    kept = {name: reply.headers[name] for name in ("content-type", "retry-after") if name in reply.headers}
    return Response(reply.content, reply.status_code, kept)
