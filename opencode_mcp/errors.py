"""Errors that the bridge raises on purpose, grouped by who must act.

The module knows neither MCP nor HTTP: ``transport.py`` and ``codec.py`` in ``opencode/http_client/`` translate failures
of the network and of OpenCode into these errors, and ``server/results/render.py`` translates these into text for a
model. A test compares this tree with the classes::

    BridgeError
    ├── CallerError                the caller must change the call
    │   ├── InvalidArgument
    │   ├── NotFound
    │   │   └── NoRunYet
    │   ├── SessionBusy
    │   └── NotAllowed
    │       └── LimitReached
    ├── OperatorError              the operator must change something
    │   ├── InvalidSetting
    │   ├── OpenCodeNotInstalled
    │   ├── OpenCodeNotStarting
    │   ├── NotOpenCode
    │   ├── UnsupportedVersion
    │   ├── InvalidConfiguration
    │   ├── Unauthorized
    │   └── IssuerFailed
    ├── BackendError               OpenCode or the connection to it failed
    │   ├── BackendUnavailable
    │   ├── BackendTimeout
    │   ├── BackendFailed
    │   └── UnsupportedOperation
    └── GitFailed                  git refused a command
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """Change of the bridge's settings by which a person allows what was refused."""

    flags: str
    """Flags with their values, such as ``--allow execute``."""
    removes: bool = False
    """True if the flags must be removed, not added."""
    broader: str = ""
    """Flags that allow this and much more; empty if there are none."""
    broader_allows: str = ""
    """Operations that those allow, as the end of a sentence."""
    purpose: str = ""
    """Purpose of the change, such as ``so that any line runs``, where the person has a better way."""
    missing: str = ""
    """Flags that were missing, if the others repeat what is set already; empty: all were."""


SCOPE_REMEDY = "The person can let the client sign in again and ask for that scope."
"""Next step if an access token lacks a scope."""


class BridgeError(Exception):
    """Error with a message and a hint.

    Args:
        message: Description of the problem, in one sentence that names the wrong value.
        hint: The correct form, or the next step; shown after the message.
    """

    started: bool | None = None
    """False for an error of a call that starts work and had started nothing; None if nobody has to know."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class CallerError(BridgeError):
    """The caller must change the call."""


class InvalidArgument(CallerError):
    """An argument has a wrong type, range or form."""


class NotFound(CallerError):
    """The object that the caller named does not exist; the hint names existing ones."""


class NoRunYet(NotFound):
    """The session exists, and has no prompt."""


class SessionBusy(CallerError):
    """The session already has a run; OpenCode would merge a second prompt into it."""


class NotAllowed(CallerError):
    """The operator's settings forbid it: a path outside the allowed directories, or an operation.

    Args:
        message: What is forbidden, and why.
        hint: What the caller can do instead.
        change: Change of the settings that allows it; ``None`` if none does.
        by_person: What the person can do instead of the change: the rest of a sentence, without its period.
        remark: Risk of the change that the person should know before.
        risk_by_person: Risk of what the person can do instead.
        scope: Scope that the access token of the client lacks; empty if the settings forbid it.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        change: SettingsChange | None = None,
        by_person: str = "",
        remark: str = "",
        risk_by_person: str = "",
        scope: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.change = change
        self.by_person = by_person
        self.remark = remark
        self.risk_by_person = risk_by_person
        self.scope = scope

    def __str__(self) -> str:
        return f"{super().__str__()} {self.remark}".rstrip()


class LimitReached(NotAllowed):
    """A limit of the settings is used up for now: runs at once, or cost of a day."""

    started = False


class OperatorError(BridgeError):
    """The operator, who runs the bridge, must change something."""


class InvalidSetting(OperatorError):
    """A flag, an environment variable or a line of the settings file is wrong."""


class OpenCodeNotInstalled(OperatorError):
    """No ``opencode`` executable was found."""


class OpenCodeNotStarting(OperatorError):
    """``opencode serve`` ended, or did not become healthy in time; the message contains its output."""


class NotOpenCode(OperatorError):
    """The program that answers at the URL is not an OpenCode server."""


class UnsupportedVersion(OperatorError):
    """OpenCode is older than the oldest supported version."""


class InvalidConfiguration(OperatorError):
    """OpenCode cannot use one of its configuration files, such as a project's ``opencode.json``."""


class Unauthorized(OperatorError):
    """OpenCode refused the user name or the password."""


class IssuerFailed(OperatorError):
    """The issuer of access tokens did not give its keys."""


class BackendError(BridgeError):
    """OpenCode or the connection to it failed."""


class BackendUnavailable(BackendError):
    """Nothing answers at OpenCode's address.

    Args:
        message: The address that does not answer.
        hint: The next step.
        sent: True if OpenCode may have received the request; then only a read can be sent again safely.
    """

    def __init__(self, message: str, *, hint: str = "", sent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class BackendTimeout(BackendError):
    """OpenCode accepted the request and did not answer it in time."""


class BackendFailed(BackendError):
    """OpenCode answered with a failure of its own.

    Args:
        message: OpenCode's message.
        hint: The next step.
        status: The HTTP status code.
        kind: OpenCode's name for the error, such as ``UnknownError``; empty if it gave none.
    """

    def __init__(self, message: str, *, hint: str = "", status: int = 0, kind: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.kind = kind


class UnsupportedOperation(BackendError):
    """This OpenCode lacks the operation; it is older or newer than the one the table was made from."""


class GitFailed(BridgeError):
    """Git refused a command, or did not end in time; the message is git's."""
