"""Front that answers a host's first requests from saved responses while the SDK is still being imported.

Some hosts do not wait. One starts without the tools of a server that has not answered after a second. The import of the
SDK alone takes 0.5 s on a fast machine and some seconds on a busy one, and the bridge cannot make it shorter. The first
requests of a host are always the same, though: ``initialize`` or ``server/discover``, then ``tools/list``. The front
repeats the responses that the SDK gave to the same requests in an earlier process.

How it works:

1. The main thread takes stdin and stdout, computes the fingerprint of the start (``fingerprint.py``) and loads the
   saved responses (``saved_responses.py``).
2. A second thread imports the SDK. The main thread reads lines meanwhile. Imports hold the interpreter's lock, so the
   front makes Python switch threads more often, and does all its own file access and imports before.
3. A request whose key (``request_keys.py``) has a saved response is answered at once. Everything else is only kept.
4. When the imports are done, the SDK's server gets everything that was read, in its order. It also gets the answered
   requests, so its state is what it would have been: era, protocol version, client, notifications. These requests have
   an id of the front's, which no host can know, in place of the host's. The response to such an id is compared with the
   one that was given, and dropped (``answered_requests.py``). So no request is lost, and none is answered twice, even
   if the host cancels it or uses its id again.
5. Responses of the SDK that were not saved yet, or differ from the saved ones, are saved for the next start.

The first start after an installation, an update or a change of the settings therefore takes as long as the SDK does.

The front does not validate requests and does not interpret responses. A saved response is used only for a request that
equals one that the SDK answered. If a line is unusual in any way (not JSON, a batch, unknown fields, deeply nested,
long), the front answers nothing more and waits for the SDK. The same applies if no saved response fits, if the first
request is a different one, and on Windows, where a process cannot wait for its pipes.

Rejected alternatives: a small server process of its own that stays and passes messages on (two processes to supervise,
and each call pays for it); responses that the front generates itself (a second implementation of the protocol, which
would have to follow each change of the SDK); responses made at installation (installers run no code, and settings
change them); answering in the background thread while the main thread imports (signal handlers and the event loop need
the main thread).

Until the SDK's server runs, a signal ends the process at once: nothing was started that would have to be stopped.
"""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, cast

from opencode_mcp.server.stdio.descriptors import CHUNK, ROOM, claim_descriptors, has_room
from opencode_mcp.server.stdio.front.fingerprint import fingerprint_of
from opencode_mcp.server.stdio.front.request_keys import PONG, RequestKeys, is_readable
from opencode_mcp.server.stdio.front.saved_responses import SavedResponses
from opencode_mcp.server.stdio.front.takeover import Takeover
from opencode_mcp.server.stdio.line_writing import line_of
from opencode_mcp.text.json_types import JsonObject

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

LONGEST_LINE = 64 * 1024
"""Bytes of a line that the front looks at."""
MOST_LEVELS = 64
"""Brackets that open lists and objects in such a line."""
MOST_KEPT = 1024 * 1024
"""Bytes that the front reads ahead of the SDK; the rest stays in the pipe."""
SWITCH_SECONDS = 0.0005
"""Time for which the importing thread may keep the interpreter's lock while the front waits for it. Python's default is
ten times as long, and each answer takes the lock several times."""


def serve_early(settings: "Settings", load: Callable[[], object], serve: Callable[[Takeover], None]) -> None:
    """Answer the first requests while the SDK is imported, then have the SDK serve.

    Args:
        settings: The settings that select tools, and the state folder, are used.
        load: Imports all that ``serve`` needs. It runs in a thread of its own.
        serve: Serves until the connection ends. It runs in this thread.
    """
    source, target = claim_descriptors()
    _exit_on_signals()
    responses = SavedResponses(settings.state_directory)
    try:
        fingerprint = fingerprint_of(settings)
    except OSError:
        # Packed into an archive: one version of the code cannot be distinguished from the next.
        serve(Takeover(source=source, target=target))
        return
    responses.load()
    front = Front(source, target, fingerprint, responses)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        front.run(_start(load))
    finally:
        sys.setswitchinterval(usual)
    serve(front.takeover())


def _exit_on_signals() -> None:
    """Have each signal by which hosts end a bridge end it as closed input does: nothing has to be stopped yet."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    """Exit without waiting for the thread that imports."""
    os._exit(0)


def _start(load: Callable[[], object]) -> int:
    """Run a function in a thread, and return a descriptor that becomes readable when it has ended."""
    waiting, ended = os.pipe()

    def run() -> None:
        try:
            load()
        finally:
            os.close(ended)

    threading.Thread(target=run, name="imports", daemon=True).start()
    return waiting


class Front:
    """Connection until the SDK takes it over.

    Args:
        source: Descriptor to read from.
        target: Descriptor to write to.
        fingerprint: Digest for the keys.
        responses: Loaded saved responses.
    """

    def __init__(self, source: int, target: int, fingerprint: str, responses: SavedResponses) -> None:
        self._source = source
        self._target = target
        self._fingerprint = fingerprint
        self._responses = responses
        self._keys = RequestKeys(fingerprint)
        self._answers = True
        """True while the front may still answer something."""
        self._kept = bytearray()
        """The lines for the SDK."""
        self._rest = bytearray()
        """The beginning of the next line."""
        self._ended = False
        self._unsent = bytearray()
        self._given: dict[str, JsonObject] = {}
        self._id_prefix = f"front-{os.urandom(12).hex()}-"

    def run(self, loaded: int) -> None:
        """Read and answer until the SDK is imported.

        Args:
            loaded: Descriptor that is readable from then on; it is closed.
        """
        try:
            while loaded not in self._turn(loaded):
                pass
        finally:
            os.close(loaded)

    def takeover(self) -> Takeover:
        """Return the state from which the SDK continues."""
        return Takeover(
            source=self._source,
            target=self._target,
            received=bytes(self._kept + self._rest),
            ended=self._ended,
            unsent=bytes(self._unsent),
            given=self._given,
            fingerprint=self._fingerprint,
            responses=self._responses,
        )

    def _turn(self, loaded: int) -> list[int]:
        """Wait for something to happen, and handle it; return the descriptors that were readable."""
        listens = self._answers and not self._ended and len(self._kept) + len(self._rest) < MOST_KEPT
        readable, _, _ = select.select(
            [loaded, self._source] if listens else [loaded], [self._target] if self._unsent else [], []
        )
        if self._source in readable:
            self._read()
        self._flush()
        return readable

    def _read(self) -> None:
        try:
            data = os.read(self._source, CHUNK)
        except BlockingIOError:
            # Another process that shares a non-blocking descriptor was faster.
            return
        except OSError:
            # A socket or a terminal whose other end is gone.
            data = b""
        self._ended = not data
        *lines, rest = (bytes(self._rest) + data).split(b"\n")
        self._rest[:] = rest
        for line in lines:
            self._kept += self._handled(line + b"\n")
        if len(rest) > LONGEST_LINE:
            self._answers = False

    def _handled(self, line: bytes) -> bytes:
        """Answer a line if that is possible, and return the line that the SDK gets for it."""
        message = _parsed(line) if self._answers else None
        if message is None:
            # A blank line is no message, and changes nothing.
            self._answers = self._answers and not line.strip()
            return line
        result = self._result_of(message)
        return line if result is None else self._answer(message, result)

    def _result_of(self, message: JsonObject) -> JsonObject | None:
        """Return the known result of a message; None leaves the message to the SDK."""
        if self._keys.allows_ping(message):
            return PONG
        key = self._keys.key_of(message)
        result = self._responses.find(key) if key else None
        self._answers = not self._keys.ended and not (key and result is None)
        return result

    def _answer(self, message: JsonObject, result: JsonObject) -> bytes:
        """Send a response, and return the request for the SDK with an id of our own."""
        self._unsent += line_of({"jsonrpc": "2.0", "id": message["id"], "result": result})
        own_id = f"{self._id_prefix}{len(self._given)}"
        self._given[own_id] = result
        return json.dumps({**message, "id": own_id}).encode() + b"\n"

    def _flush(self) -> None:
        """Write as much as the host takes now."""
        try:
            while self._unsent and has_room(self._target):
                del self._unsent[: os.write(self._target, self._unsent[:ROOM])]
        except BlockingIOError:
            return
        except OSError:
            # The host does not read any more. The SDK's server will get the same error.
            self._unsent.clear()
            self._answers = False


def _parsed(line: bytes) -> JsonObject | None:
    """Return the request or notification in a line; None if the line is unusual in any way."""
    if len(line) > LONGEST_LINE or line.count(b"[") + line.count(b"{") > MOST_LEVELS:
        return None
    try:
        message = json.loads(line.decode())
        # Refuses half a surrogate pair, and numbers that JSON does not have, which cannot be written again.
        json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return cast("JsonObject", message) if is_readable(message) else None
