"""Verification that a caller wants for a run, and its result, as data that the note of the run keeps. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar, cast, get_args

VerificationOutcome = Literal["passed", "failed", "timed out", "stopped", "not run"]
"""Outcome of a verification. ``stopped``: somebody stopped it; ``not run``: it could not be started."""
VERIFICATION_OUTCOMES: tuple[VerificationOutcome, ...] = get_args(VerificationOutcome)
MOST_REPAIRS = 5


@dataclass(frozen=True, slots=True)
class Verify:
    """Command that verifies the work of a run, and what follows if it fails."""

    line: str
    """Shell line."""
    seconds: float
    """Time that it may take."""
    name: str = ""
    """Name of the line in the operator's settings; empty for a line of the caller's."""
    environment: tuple[str, ...] = ()
    """Variables that it gets besides the usual ones."""
    repair: int = 0
    """Most times that a failure is sent back to the session."""
    agent: str = ""
    """Agent, model and variant of the run, for the prompts that send a failure back."""
    model: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification."""

    outcome: VerificationOutcome
    exit_code: int | None = None
    """Exit code of the command; ``None`` if it did not end by itself."""
    output: str = ""
    """End of what it printed."""
    seconds: float = 0
    left: tuple[str, ...] = ()
    """Files that it has changed or left behind, as ``added build/out.txt``."""
    note: str = ""
    """Reason why there is no result, or why the work was not repaired."""


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """Verification of a run, as far as it has come."""

    request: Verify
    repairs: tuple[str, ...] = ()
    """Ids of the prompts that sent a failure back, oldest first."""
    result: Verified | None = None
    """Result of the last command; it stays while its failure is being repaired."""
    is_over: bool = False
    """True if the result is final."""
    stop: str = ""
    """Sentence on why it is to be stopped, by a bridge that does not verify it; empty if it is not."""

    @property
    def latest_prompt(self) -> str:
        """Return the id of the last prompt that sent a failure back; empty if there is none."""
        return self.repairs[-1] if self.repairs else ""


def as_data(record: VerificationRecord | None) -> dict[str, Any] | None:
    """Return a record as JSON data; see ``read_record``."""
    return asdict(record) if record else None


def read_record(data: object) -> VerificationRecord | None:
    """Read a record from JSON data.

    Raises:
        ValueError: It is none.
    """
    if data is None:
        return None
    fields = _fields(data)
    result = fields.get("result")
    verified = None if result is None else _read(Verified, _fields(result))
    if verified is not None and verified.outcome not in VERIFICATION_OUTCOMES:
        raise ValueError("no outcome")
    return _read(
        VerificationRecord, fields | {"request": _read(Verify, _fields(fields.get("request"))), "result": verified}
    )


Kind = TypeVar("Kind")


def _read(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError("no verification") from error


def _fields(data: object) -> dict[str, Any]:
    """Return the fields of a JSON object, with lists as tuples."""
    if not isinstance(data, Mapping):
        raise ValueError("no verification")  # noqa: TRY004 - as JSON that cannot be read
    return {
        name: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for name, value in cast("Mapping[str, Any]", data).items()
    }
