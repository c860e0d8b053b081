"""Turn the reply of an operation into a tool's result: compact JSON cut to a size, and how to read the rest."""

import json
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.empty_replies import meaning_of_empty
from opencode_mcp.server.operations.envelope import NOTHING, select_part
from opencode_mcp.server.operations.json_cut import Cut, CutJson, compact, cut_json
from opencode_mcp.server.operations.json_outline import outline
from opencode_mcp.server.results.render import TEXT_CHARACTERS, result
from opencode_mcp.server.results.safe_text import shown_data

if TYPE_CHECKING:
    from mcp_types import CallToolResult

    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.operations.handlers.handler import OperationResult

SHOWN_CUTS = 12
WHOLE_LIMIT = 8000
"""Characters of a reply of which no part was selected; a selected part may take ``TEXT_CHARACTERS``."""
PAGE_ARGUMENTS: Mapping[str, str] = {"session.messages": "before"}
"""Names of the arguments that take the cursor of the next page, if not ``cursor``; replies of OpenCode 2 contain it."""
READ_BACK: "Mapping[Generation, Mapping[str, str]]" = {
    1: {
        "session.command": "session.message",
        "session.prompt": "session.message",
        "session.shell": "session.message",
        "config.update": "config.get",
        "global.config.update": "global.config.get",
    },
    2: {
        "session.import": "session.export",
        "session.prompt": "session.message.get",
        "session.revert.stage": "session.get",
        "session.synthetic": "session.message.get",
    },
}
"""Operations that read a reply again, for operations that would repeat their effect if they were called again."""


EXAMPLE = 'select="[].{id: id, title: title}"'


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """Part of a reply that a caller wants."""

    select: str = ""
    """JMESPath expression; empty: the whole reply."""
    offset: int = 0

    @property
    def limit(self) -> int:
        """Largest number of characters that are shown of it."""
        return TEXT_CHARACTERS if self.select or self.offset else WHOLE_LIMIT

    def select_from(self, reply: object) -> object:
        """Return what the expression selects.

        Raises:
            InvalidArgument: It cannot be evaluated.
        """
        return select_part(reply, self.select) if self.select else reply


def reply_result(operation: "Operation", outcome: "OperationResult", part: ReplyPart | None) -> "CallToolResult":
    """Make the result.

    Raises:
        InvalidArgument: The expression that selects the part cannot be evaluated, or the offset is after the end.
    """
    wanted = part or ReplyPart()
    # Cleaned before it is JSON, where Unicode's line ends could not be told from those of the text.
    whole = shown_data(outcome.value)
    selected = wanted.select_from(whole)
    _check_offset(selected, wanted.offset)
    shown = cut_json(selected, wanted.limit, select=wanted.select, offset=wanted.offset)
    notes = [
        *outcome.notes,
        *_page_notes(operation, outcome),
        *_empty_notes(operation, outcome, whole, finds_nothing=bool(wanted.select) and selected in NOTHING),
        *_cut_notes(operation, shown, wanted, selected),
    ]
    data = {
        "operation": operation.id,
        "reply": shown.value,
        "notes": notes,
        "cut": [asdict(cut) for cut in shown.cuts[:SHOWN_CUTS]],
        "cursor": outcome.cursor,
    }
    reply_text = "(nothing)" if shown.value is None else compact(shown.value)
    text = "\n".join([f"OpenCode's reply to {operation.id}:", reply_text, *notes])
    return result(text, {name: value for name, value in data.items() if value or name == "reply"})


def _check_offset(selected: object, offset: int) -> None:
    """Refuse an offset after the end, which would show nothing."""
    number = len(selected) if isinstance(selected, Sized) else 0
    if 0 < number <= offset:
        parts = "characters" if isinstance(selected, str) else "items"
        raise InvalidArgument(
            f"The offset {offset} is after the end; {parts} in all: {number}.",
            hint="Leave it out to read from the beginning.",
        )


def _empty_notes(
    operation: "Operation", outcome: "OperationResult", whole: object, *, finds_nothing: bool
) -> Iterator[str]:
    # Rows that were left out are named in the notes: the list is not empty then.
    if not outcome.notes and (meaning := meaning_of_empty(operation, whole)):
        yield meaning
    elif finds_nothing:
        yield f"`select` finds nothing there. {_form(whole)}"


def _page_notes(operation: "Operation", outcome: "OperationResult") -> Iterator[str]:
    if outcome.cursor:
        yield f'The next page: {PAGE_ARGUMENTS.get(operation.id, "cursor")}="{outcome.cursor}".'


def _form(whole: object) -> str:
    return f"The whole reply has the form {outline(whole)}."


def _cut_notes(operation: "Operation", shown: CutJson, part: ReplyPart, selected: object) -> Iterator[str]:
    if not shown.cuts:
        return
    places = "; ".join(_describe(cut) for cut in shown.cuts[:SHOWN_CUTS])
    more = f" and {len(shown.cuts) - SHOWN_CUTS} more places" if len(shown.cuts) > SHOWN_CUTS else ""
    yield f"Cut to fit: {places}{more}."
    yield _form(selected) if not part.select else f"What is selected has the form {outline(selected)}."
    yield _way_to_the_rest(operation, shown.cuts, part)


def _describe(cut: Cut) -> str:
    return f"{cut.at or 'the reply'} shows {cut.shown} of {cut.of}"


def _way_to_the_rest(operation: "Operation", cuts: Sequence[Cut], part: ReplyPart) -> str:
    if operation.effect != "read":
        reader = READ_BACK[operation.generation].get(operation.id, "an operation that reads it")
        return f"Read the rest with {reader}; calling {operation.id} again would do it again."
    first = cuts[0]
    offset = first.shown + (part.offset if first.at == part.select else 0)
    select = f"select={json.dumps(first.at, ensure_ascii=False)}, " if first.at else ""
    return f"Read on with opencode_read_operation(…, {select}offset={offset}), or select less, such as {EXAMPLE}."
