"""Note about a run in the session's metadata: starter, answerers, limits, first words, and verification of the work.

Every bridge finds the note again, after a restart of either side, too (``session.create``, ``session.update``). It is
sealed with the bridges' key, so that nobody else can write one, and names its prompt, so that a copy in another session
says nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.limits import NO_LIMITS, Limits, read_limits
from opencode_mcp.runs.requests.permission_policy import Policy, as_data, read_policies, strictest
from opencode_mcp.runs.run_record import STARTERS, RunStarter
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord, Verify, read_record
from opencode_mcp.runs.verification.wanted_verification import as_data as as_record_data
from opencode_mcp.text.json_values import as_text

NOTE_KEY = "opencode-mcp"
"""The key of a session's metadata that is the bridges' own."""
NOTE_KIND = "run note"
ANY_PROMPT = ""
"""Stands for the id of a note's prompt while it is not known."""
NOTES_KEPT = 1000
NO_METADATA: Mapping[str, object] = {}


class NoteCodec(Protocol):
    """Makes texts that only the bridges can make and open."""

    def seal(self, payload: bytes) -> str:
        """Seal a payload."""
        ...

    def unseal_or_none(self, token: str) -> bytes | None:
        """Return the payload; ``None`` if the token was not made with the key."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """Starter, caller's limit, policies and limits of a prompt's run."""

    message_id: str
    """The prompt; ``ANY_PROMPT``: the note holds for every prompt of the session."""
    caller_limit: Decider = "allow"
    """The caller's limit: the decider is never looser than this."""
    starter: RunStarter = ""
    """Starter of the run."""
    policies: tuple[Policy, ...] = ()
    """Those of the operators under whom it was started.

    They hold beside the policy of whichever bridge looks at the run, so that none is looser than the one that started
    it. Unlike ``caller_limit``, which is one limit for everything, they keep the rules for single commands.
    """
    words: str = field(default="", compare=False)
    """First words of the prompt as its caller wrote it. OpenCode records the expanded text of a slash command, and
    OpenCode 1 cannot show a prompt that asks for a structured answer."""
    limits: Limits = NO_LIMITS
    """Limits at which the run is stopped."""
    stopped: str = ""
    """Sentence on the limit at which it was stopped; empty if it was not."""
    verification: VerificationRecord | None = None
    """Verification of the work, as far as it has come; ``None`` if there is to be none."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """Return the ids of the prompts of the run: its own, and those that sent a failure back."""
        return (self.message_id, *(self.verification.repairs if self.verification else ()))


UNREADABLE = Note(ANY_PROMPT, "human", "person")
"""Note that is used if one cannot be read: a person decides."""


class Notes:
    """Reads and writes the notes, and remembers those that were written here.

    Args:
        codec: Seals them.
        policy: The operator's, which every new note carries; none: it carries no policy.
    """

    def __init__(self, codec: NoteCodec, policy: Policy | None = None) -> None:
        self._codec = codec
        self._policies = (policy,) if policy else ()
        self._remembered = BoundedDict[str, Note](NOTES_KEPT)

    def new(
        self,
        message_id: str,
        caller_limit: Decider,
        starter: RunStarter,
        words: str = "",
        limits: Limits = NO_LIMITS,
        verify: Verify | None = None,
    ) -> Note:
        """Return a note for a prompt that is started here."""
        verification = VerificationRecord(verify) if verify else None
        return Note(message_id, caller_limit, starter, self._policies, words, limits, verification=verification)

    def metadata(self, note: Note, session: Session | None = None) -> dict[str, object]:
        """Return the metadata of a session with a note in it; what else the session carries stays."""
        content = {
            "is": NOTE_KIND,
            "message": note.message_id,
            "permissions": note.caller_limit,
            "starter": note.starter,
            "policies": as_data(note.policies),
            "words": note.words,
            "limits": note.limits.as_data(),
            "stopped": note.stopped,
            "verification": as_record_data(note.verification),
        }
        before = metadata_of(session) if session else NO_METADATA
        return {**before, NOTE_KEY: self._codec.seal(json.dumps(content).encode())}

    async def write(self, client: OpenCodeClient, session: Session, note: Note) -> None:
        """Note something for a session's next prompt, in the session's turn (``session.get``, ``session.update``).

        The record is read anew, so that nothing is lost that was written since the caller read it.
        """
        await client.session_set_metadata(session, self.metadata(note, await client.session_get(session.id)))

    def remember(self, session_id: str, note: Note) -> None:
        """Keep a note in mind, so that it holds whatever becomes of the session's record."""
        self._remembered[session_id] = note

    def of(self, session: Session) -> list[Note]:
        """Return the notes of a session: the remembered one, and the one in its metadata if that differs."""
        known = [self._remembered.get(session.id), self._on_record(session)]
        return list(dict.fromkeys(note for note in known if note is not None))

    def first_words_of(self, session: Session, message_id: str) -> str:
        """Return the first words of a prompt of a session; empty if no note has them."""
        return next((note.words for note in self.of(session) if note.message_id == message_id and note.words), "")

    def _on_record(self, session: Session) -> Note | None:
        sealed = metadata_of(session).get(NOTE_KEY)
        if sealed is None:
            return None
        opened = self._codec.unseal_or_none(sealed) if isinstance(sealed, str) else None
        return _read(opened) if opened is not None else UNREADABLE


def _read(opened: bytes) -> Note:
    try:
        value: object = json.loads(opened)
        content = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else NO_METADATA
        policies = read_policies(content.get("policies"))
        limits = read_limits(content.get("limits", {}))
        verification = read_record(content.get("verification"))
    except ValueError:
        return UNREADABLE
    message, caller_limit, starter = content.get("message"), content.get("permissions"), content.get("starter")
    readable = content.get("is") == NOTE_KIND and isinstance(message, str)
    if not readable or caller_limit not in DECIDERS or starter not in STARTERS:
        return UNREADABLE
    words, stopped = content.get("words"), content.get("stopped")
    return Note(str(message), caller_limit, starter, policies, as_text(words), limits, as_text(stopped), verification)


def metadata_of(session: Session) -> Mapping[str, object]:
    """Return the metadata of a session, written by callers and bridges."""
    metadata = (session.model_extra or {}).get("metadata")
    return cast("Mapping[str, object]", metadata) if isinstance(metadata, Mapping) else NO_METADATA


def first_prompt(message_id: str, notes: Iterable[Note]) -> str:
    """Return the first prompt of the run to which a prompt belongs, by the notes of its session."""
    return next((note.message_id for note in notes if message_id in note.prompts), message_id)


def combined(notes: Iterable[Note]) -> tuple[Decider, RunStarter, tuple[Policy, ...]]:
    """Return the strictest of what some notes say, and the policies of all of them."""
    found = list(notes)
    starters: list[RunStarter] = ["", *(note.starter for note in found)]
    caller_limit: list[Decider] = ["allow", *(note.caller_limit for note in found)]
    policies = dict.fromkeys(policy for note in found for policy in note.policies)
    return strictest(caller_limit), max(starters, key=STARTERS.index), tuple(policies)
