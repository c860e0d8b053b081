"""Handlers of ``file.read``, ``file.list`` and their newer forms, safe against links that replace a checked path.

OpenCode opens the path after the bridge has checked it. If OpenCode is on this machine, its response is therefore
compared with what the bridge reads itself, through folders that it opens one by one (``disk/confined.py``). It is
returned only if it shows content of the project. On another machine nothing can be compared.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePath
from typing import cast

from anyio import to_thread

from opencode_mcp.disk.confined import names_in
from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.opencode.http_client.transport import REPLY_LIMIT_BYTES
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_types import JsonMap

IsAllowed = Callable[[OperationRequest, str, object], Awaitable[bool]]
ATTEMPTS = 3
"""Number of reads of a path that changes meanwhile: another process may legitimately write there."""
UNREADABLE = re.compile("\ufffd+")
BYTE_ORDER_MARK = "\ufeff"


async def read_file(request: OperationRequest) -> OperationResult:
    """Answer ``file.read`` or ``v2.fs.read``."""
    return await _compared(request, _is_file)


async def list_folder(request: OperationRequest) -> OperationResult:
    """Answer ``file.list`` or ``v2.fs.list``."""
    return await _compared(request, _is_folder)


async def _compared(request: OperationRequest, is_inside: IsAllowed) -> OperationResult:
    bridge, call = request.bridge, request.call
    if bridge.settings.remote:
        return await send(request)
    refuse_workspace(request)
    name = str(call.path.get("path") or call.query.get("path") or ".")
    for _ in range(ATTEMPTS):
        path = await bridge.fence.relative(call.directory, name)
        outcome = await send(request)
        if await is_inside(request, path, outcome.value):
            return outcome
    raise BackendFailed(f"{name!r} changed while it was read.", hint="Call again.")


def refuse_workspace(request: OperationRequest) -> None:
    """Refuse a workspace in calls for which the bridge itself reads the files.

    Raises:
        InvalidArgument: The call names one.
    """
    if any("workspace" in name for name in request.call.query):
        hint = "Leave `workspace` out, and name the workspace's own directory."
        raise InvalidArgument(f"{request.operation.id} does not look into a workspace.", hint=hint)


async def _is_file(request: OperationRequest, path: str, answer: object) -> bool:
    if request.operation.id == "file.read" and isinstance(answer, Mapping):
        return await _is_content(request, path, cast("JsonMap", answer))
    if answer in (None, ""):
        return True
    own = await _own_content(request, path)
    if own is None:
        return False
    return isinstance(answer, str) and _is_text(own, answer)


async def _is_content(request: OperationRequest, path: str, answer: JsonMap) -> bool:
    """Compare a response to ``file.read``, which names the encoding of its content."""
    content = str(answer.get("content") or "")
    if not content:
        return True
    own = await _own_content(request, path)
    if own is None:
        return False
    return base64.b64decode(content) == own if answer.get("encoding") == "base64" else _is_text(own, content)


async def _own_content(request: OperationRequest, path: str) -> bytes | None:
    """Return a file as the bridge reads it; ``None`` if it does not exist, or is too large for OpenCode to send."""
    content = bytearray()
    try:
        async with request.bridge.files.open(request.call.directory, path) as file:
            async for piece in file.pieces:
                content += piece
                if len(content) > REPLY_LIMIT_BYTES:
                    return None
    except NotFound:
        return None
    return bytes(content)


def _is_text(content: bytes, text: str) -> bool:
    return _plain(text) == _plain(content.decode(errors="replace"))


async def _is_folder(request: OperationRequest, path: str, answer: object) -> bool:
    rows = cast("JsonMap", answer).get("data") if isinstance(answer, Mapping) else answer
    if not isinstance(rows, list) or not rows:
        return True
    listed = {_plain(PurePath(str(row["path"]).replace("\\", "/")).name) for row in cast("list[JsonMap]", rows)}
    try:
        own = await to_thread.run_sync(names_in, request.call.directory, path)
    except NotFound:
        return False
    return listed <= {_plain(name) for name in own}


def _plain(text: str) -> str:
    """Normalize a text for comparison: OpenCode trims it, and decodes invalid Unicode in its own way."""
    return UNREADABLE.sub("\ufffd", text.strip().removeprefix(BYTE_ORDER_MARK).strip())
