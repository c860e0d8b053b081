"""Every error that the bridge raises on purpose, named by who must act.

Nothing here knows MCP or HTTP: one seam below turns the network's and OpenCode's failures into these
(``opencode/transport.py``, ``opencode/codec.py``), one seam above turns these into text for a model
(``server/results/render.py``). A test holds this drawing equal to the classes::

    BridgeError
    ├── CallerError                the caller must change the call
    │   ├── InvalidArgument
    │   ├── NotFound
    │   ├── SessionBusy
    │   └── NotAllowed
    ├── OperatorError              whoever runs the bridge must change something
    │   ├── InvalidSetting
    │   ├── OpenCodeNotInstalled
    │   ├── OpenCodeNotStarting
    │   ├── NotOpenCode
    │   ├── UnsupportedVersion
    │   ├── InvalidConfiguration
    │   └── Unauthorized
    └── BackendError               OpenCode, or the way to it, failed
        ├── BackendUnavailable
        ├── BackendTimeout
        ├── BackendFailed
        └── UnsupportedOperation
"""


class BridgeError(Exception):
    """What went wrong, and what to do next.

    Args:
        message: What was wrong, in one sentence that names the offending value.
        hint: What would be right, or what to do next; shown after the message.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class CallerError(BridgeError):
    """The caller must change the call."""


class InvalidArgument(CallerError):
    """An argument is not of the kind, range or form that it must be."""


class NotFound(CallerError):
    """What the caller named does not exist; the hint names what does."""


class SessionBusy(CallerError):
    """The session already has a run; OpenCode would merge a second prompt into it."""


class NotAllowed(CallerError):
    """The operator's settings forbid it: a path outside the allowed directories, or an operation."""


class OperatorError(BridgeError):
    """Whoever runs the bridge must change something."""


class InvalidSetting(OperatorError):
    """A flag, an environment variable or a line of the settings file is wrong."""


class OpenCodeNotInstalled(OperatorError):
    """No ``opencode`` executable was found."""


class OpenCodeNotStarting(OperatorError):
    """``opencode serve`` ended, or did not become healthy in time; the message carries what it printed."""


class NotOpenCode(OperatorError):
    """What answers at the URL is not an OpenCode server."""


class UnsupportedVersion(OperatorError):
    """The OpenCode is older than the oldest that the bridge works with."""


class InvalidConfiguration(OperatorError):
    """A configuration file of OpenCode's, such as a project's ``opencode.json``, cannot be used."""


class Unauthorized(OperatorError):
    """OpenCode refused the user name or the password."""


class BackendError(BridgeError):
    """OpenCode, or the way to it, failed."""


class BackendUnavailable(BackendError):
    """Nothing answers where OpenCode was.

    Args:
        message: What does not answer.
        hint: What to do next.
        sent: Whether OpenCode may have received the request; if it may, only a read is safe to send again.
    """

    def __init__(self, message: str, *, hint: str = "", sent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class BackendTimeout(BackendError):
    """OpenCode accepted the request and did not answer it in time."""


class BackendFailed(BackendError):
    """OpenCode answered with a failure of its own.

    Args:
        message: OpenCode's own words.
        hint: What to do next.
        status: The HTTP status code.
        kind: OpenCode's name for the error, such as ``UnknownError``; empty when it gave none.
    """

    def __init__(self, message: str, *, hint: str = "", status: int = 0, kind: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.kind = kind


class UnsupportedOperation(BackendError):
    """This OpenCode does not know the operation; it is older or newer than the one the table was made from."""
