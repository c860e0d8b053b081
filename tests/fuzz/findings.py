"""Checks of the messages that the bridge sent for a batch: missing replies, and texts that it must not send."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fuzz.shots import Shot

Json = dict[str, Any]
CRASH_TEXTS = ("Traceback (most recent call last)", "failed inside this MCP server", "Error executing tool")
SHOWN = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be."""

    what: str
    shot: Shot | None
    came: str = ""

    @property
    def kind(self) -> str:
        """Findings of one kind have the same cause, most likely."""
        return f"{self.what}: {self.shot.about}" if self.shot else self.what

    def __str__(self) -> str:
        line = self.shot.line[:SHOWN].decode(errors="backslashreplace") if self.shot else ""
        length = f" ({len(self.shot.line)} bytes)" if self.shot and len(self.shot.line) > SHOWN else ""
        return f"{self.kind}\n  sent: {line}{length}\n  came: {self.came[:SHOWN]}"


def unanswered(shots: Sequence[Shot], replies: Sequence[Json]) -> list[Shot]:
    """The shots that are still owed something."""
    answered = _ids(replies)
    without = [shot for shot in shots if shot.owed == "null" or not answered[shot.id]]
    open_shots = [shot for shot in without if shot.owed == "answer"]
    wanted = [shot for shot in without if shot.owed in {"null", "answer or null"}]
    missing = max(len(wanted) - answered[None], 0)
    return open_shots + wanted[:missing]


def surplus(shots: Sequence[Shot], replies: Sequence[Json]) -> list[Finding]:
    """Requests that were answered twice, and answers to nothing."""
    answered = _ids(replies)
    known = {None, *(shot.id for shot in shots)}
    twice = [Finding("answered twice", shot) for shot in shots if shot.id is not None and answered[shot.id] > 1]
    stray = [Finding("an answer to nothing", None, str(identity)) for identity in answered if identity not in known]
    return [*twice, *stray, *_errors_without_id(shots, answered)]


def _errors_without_id(shots: Sequence[Shot], answered: Mapping[object, int]) -> Iterable[Finding]:
    owing = [shot for shot in shots if shot.owed != "answer" and not (shot.id is not None and answered[shot.id])]
    more = answered[None] - len(owing)
    if more > 0:
        yield Finding("more errors without an id than messages", None, str(more))


def unsayable(shots: Sequence[Shot], sent: Iterable[Json], canaries: Mapping[str, str]) -> list[Finding]:
    """Messages of the bridge that hold a secret, a crash or an error without a meaning."""
    by_id: dict[object, Shot] = {shot.id: shot for shot in shots if shot.id is not None}
    found: list[Finding] = []
    for message in sent:
        text = json.dumps(message, ensure_ascii=False)
        shot = by_id.get(message.get("id"))
        secrets = [f"sent {what}" for what, canary in canaries.items() if canary in text]
        found += [Finding(what, shot, text) for what in (*secrets, *_failures(message, text))]
    return found


def _failures(message: Json, text: str) -> Iterable[str]:
    yield from ("a crash" for crash in CRASH_TEXTS if crash in text)
    if message.get("error", {}).get("code") == 0:
        yield "an error of code 0"


def _ids(replies: Sequence[Json]) -> Counter[object]:
    return Counter(reply.get("id") for reply in replies)
