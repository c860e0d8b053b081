"""Messages of a session as Markdown for a person or a model: who wrote what, what was done, and the cost.

Pure: the messages are passed in, and nothing is read. Text of a person, a model or a tool appears in fences and code
spans (see ``excerpt.py``), so no text can pass for a heading, a tool's result or the bridge's own text.
"""

from collections.abc import Mapping, Sequence
from json import dumps

from opencode_mcp.diffs.named_files import absolute, named_files
from opencode_mcp.markdown.detail_level import (
    MEASURES,
    NO_REQUEST_FACTS,
    WHOLE,
    PermissionAnswer,
    RequestFacts,
    TranscriptOptions,
)
from opencode_mcp.markdown.excerpt import code, name
from opencode_mcp.markdown.headline import headline
from opencode_mcp.markdown.layout import Block, Excerpt, PlainLine, Section, draw
from opencode_mcp.markdown.question_blocks import has_questions, question_blocks
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.markdown.tool_calls import tool_blocks
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import (
    AgentPart,
    CompactionPart,
    FilePart,
    NoticePart,
    Part,
    PatchPart,
    ReasoningPart,
    RetryPart,
    SubtaskPart,
    TextPart,
    ToolPart,
    UnknownPart,
)
from opencode_mcp.opencode.vocabulary.wire.shared_values import ABORTED_ERROR
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import quantity

FILES_NAMED = 10
UNSHOWN_KINDS = frozenset({"step-start", "snapshot"})
"""Parts without information for a reader."""
NOTICES = frozenset({"agent", "model", "directory"})
"""Known subjects of notices."""
NOT_BEGUN = "The answer has not begun."
EMPTY: Mapping[ShownParts, str] = {
    "conversation": "Nothing was said in these messages.",
    "tools": "These messages have no tool calls.",
}


def render_transcript(
    messages: Sequence[Message],
    *,
    show: ShownParts = "brief",
    limit: int = 20_000,
    children: Mapping[str, Sequence[Message]] | None = None,
    directory: str = "",
    pointer: str = "",
    undone: frozenset[str] = frozenset(),
    requests: RequestFacts = NO_REQUEST_FACTS,
) -> str:
    """Render messages, oldest first.

    Args:
        messages: A page of a session.
        show: Parts to show, and whether texts are cut short; messages without such a part are left out.
        limit: Most characters. Long texts are cut to equal shares. If there are too many messages even for that, the
            oldest are left out, and the first line says which.
        children: The messages of subagents, by the session in the tool call that started them.
        directory: Path of the project; paths in it are shown relative to it.
        pointer: Sentence that says how to read the parts that were cut; shown at the end if there are any.
        undone: Ids of messages that are undone, which their headlines say.
        requests: Facts about the requests that the messages do not tell.
    """
    options = TranscriptOptions(MEASURES[show], show, directory, dict(children or {}), undone, requests)
    return _render(messages, options, limit, pointer)


def messages_with(messages: Sequence[Message], show: ShownParts) -> list[Message]:
    """Return the messages of which a transcript shows something."""
    options = TranscriptOptions(MEASURES[show], show)
    return [message for message in messages if not options.is_filtered or _message_blocks(message, options)]


def messages_for(messages: Sequence[Message], show: ShownParts) -> list[Message]:
    """Return the messages that a transcript needs: those that it shows, and those whose calls it counts."""
    if show != "conversation":
        return messages_with(messages, show)
    options = TranscriptOptions(MEASURES[show], show)
    return [message for message in messages if _message_blocks(message, options) or _calls_left_out(message, options)]


def render_message(
    message: Message,
    *,
    limit: int = 100_000,
    children: Mapping[str, Sequence[Message]] | None = None,
    directory: str = "",
    pointer: str = "",
) -> str:
    """Render one message with everything in it; the arguments are those of ``render_transcript``."""
    return _render([message], TranscriptOptions(WHOLE, "everything", directory, dict(children or {})), limit, pointer)


def _render(messages: Sequence[Message], options: TranscriptOptions, limit: int, pointer: str) -> str:
    sections = _sections(messages, options)
    if not sections:
        return EMPTY.get(options.shown, NOT_BEGUN if messages else "There are no messages.")
    page = Section("", sections, noun="messages", gap="\n\n")
    room = limit - len(pointer) - 2
    drawn = draw(page, room)
    return f"{drawn.text}\n\n{pointer}" if drawn.cut and pointer else drawn.text


def _sections(messages: Sequence[Message], options: TranscriptOptions) -> list[Section]:
    sections: list[Section] = []
    answered: MessageInfo | None = None
    for message, blocks in _shown_messages(messages, options):
        title = f"### {headline(message.info, answered, undone=message.info.id in options.undone)}"
        sections.append(Section(title, blocks, key=name(message.info.id)))
        answered = message.info if message.info.role == "assistant" else answered
    return sections


def _shown_messages(messages: Sequence[Message], options: TranscriptOptions) -> list[tuple[Message, list[Block]]]:
    """Return the messages of which something is shown, with their blocks and marks for the calls that are left out."""
    found: list[tuple[Message, list[Block]]] = []
    left_out = [0]
    for message in messages:
        blocks = _message_blocks(message, options)
        if blocks or not (options.is_filtered or _is_awaited(message)):
            found.append((message, blocks))
            left_out.append(0)
        left_out[-1] += _calls_left_out(message, options)
    for (_, shown), count in zip(found, left_out[1:], strict=True):
        shown.extend(_calls_mark("then {}", count))
    if found:
        found[0][1][:0] = _calls_mark("{} before", left_out[0])
    return found


def _is_awaited(message: Message) -> bool:
    """Return True for an answer that goes on: without parts to show, its headline would say nothing."""
    return message.info.role == "assistant" and message.info.time.completed is None and message.info.error is None


def _calls_left_out(message: Message, options: TranscriptOptions) -> int:
    """Return the number of tool calls of a message that are not part of a conversation; 0 in other transcripts."""
    if options.shown != "conversation":
        return 0
    return sum(not options.shows(call) for call in message.tool_calls)


def _calls_mark(place: str, count: int) -> list[Block]:
    return [PlainLine(f"- {place.format(quantity(count, 'tool call'))}, left out")] if count else []


def _message_blocks(message: Message, options: TranscriptOptions) -> list[Block]:
    parts = message.parts if options.measure.added else _with_added_joined(message.parts)
    named = _named_files(message, options)
    blocks: list[Block] = []
    for part in parts:
        if isinstance(part, PatchPart) and options.shows(part):
            blocks += _changed(part, named, options)
        elif options.shows(part):
            blocks += _part_blocks(part, options)
    return blocks if options.shown == "tools" else [*blocks, *_outcome(message.info, options)]


def _named_files(message: Message, options: TranscriptOptions) -> set[str]:
    """Return the absolute paths of the files that the calls of a message changed, and those of its subagents."""
    calls = message.tool_calls
    for call in message.tool_calls:
        for below in options.children.get(call.child_session, ()):
            calls += below.tool_calls
    named: set[str] = set()
    for call in calls:
        named |= named_files(call, options.directory)
    return named


def _changed(part: PatchPart, named: set[str], options: TranscriptOptions) -> list[Block]:
    """Return the lines for the files that differed after a step; a file that no call names may be of others."""
    own = [path for path in part.files if absolute(path, options.directory) in named]
    rest = [path for path in part.files if path not in own]
    lines = [f"- changed {_files(own, options)}"] if own else []
    if rest:
        lines.append(f"- meanwhile changed in the directory, maybe by others: {_files(rest, options)}")
    return [PlainLine(line) for line in lines]


def _with_added_joined(parts: Sequence[Part]) -> list[Part]:
    """Join the parts that OpenCode added, two for each attached file, into one part at the end."""
    added: list[TextPart] = []
    others: list[Part] = []
    for part in parts:
        if isinstance(part, TextPart) and part.synthetic:
            added.append(part)
        else:
            others.append(part)
    if len(added) < 2:  # noqa: PLR2004 - one part needs no joining
        return list(parts)
    return [*others, added[0].model_copy(update={"text": "\n".join(part.text for part in added)})]


def _outcome(info: MessageInfo, options: TranscriptOptions) -> list[Block]:
    blocks: list[Block] = []
    if info.role == "assistant" and info.structured is not None:
        data = dumps(info.structured, ensure_ascii=False, default=str)
        blocks.append(Excerpt(data, options.measure.text, "- structured answer →"))
    if info.error is not None and info.error.name == ABORTED_ERROR:
        blocks.append(PlainLine("- aborted"))
    elif info.error is not None:
        reason = info.error.text
        kind = "" if info.error.name in reason else f" with {name(info.error.name)}"
        blocks.append(Excerpt(reason, options.measure.output, f"- failed{kind} →"))
    return blocks


def _part_blocks(part: Part, options: TranscriptOptions) -> list[Block]:
    match part:
        case TextPart():
            return _text(part, options)
        case ReasoningPart():
            return _reasoning(part, options)
        case ToolPart():
            return _call(part, options)
        case FilePart():
            return [PlainLine(_file(part, options))]
        case SubtaskPart():
            return [_subtask(part, options)]
        case _:
            return [PlainLine(line) for line in [_mark(part, options)] if line]


def _call(part: ToolPart, options: TranscriptOptions) -> list[Block]:
    """Return the blocks of a tool call; of a conversation only questions are part."""
    if options.shown == "conversation" or has_questions(part):
        return question_blocks(part, options)
    blocks = tool_blocks(part, options, _sections(options.children.pop(part.child_session, ()), options))
    answer = options.requests.permissions.get(part.call_id)
    return [*blocks, *_permission(answer, part)] if answer else blocks


def _permission(answer: PermissionAnswer, part: ToolPart) -> list[Block]:
    """Return the blocks of an answer to a permission; a reason that is part of the error of the call is left out."""
    reason = "" if answer.reason in part.state.error else one_line(answer.reason)
    return [PlainLine(f"- permission {answer.text}{': ' if reason else ''}{reason}")]


def _reasoning(part: ReasoningPart, options: TranscriptOptions) -> list[Block]:
    if not part.text.strip():
        return []
    if options.measure.thought:
        return [Excerpt(part.text, options.measure.thought, "- thought →")]
    return [PlainLine(f"- thought: {len(part.text):,} characters")]


def _subtask(part: SubtaskPart, options: TranscriptOptions) -> Excerpt:
    description = f", {code(part.description)}" if part.description else ""
    title = f"- hands to the subagent {name(part.agent or 'of no name')}{description} →"
    return Excerpt(part.prompt if part.prompt.strip() else "no words", options.measure.output, title)


def _text(part: TextPart, options: TranscriptOptions) -> list[Block]:
    if not part.text.strip():
        return []
    if part.announces_shell_line:
        return [PlainLine("- You ran a shell line")]
    if part.synthetic or part.ignored:
        title = "- added by OpenCode →" if part.synthetic else "- not shown to the model →"
        return [Excerpt(part.text.strip(), options.measure.added, title)]
    return [Excerpt(part.text.strip("\n"), options.measure.text)]


def _mark(part: Part, options: TranscriptOptions) -> str:
    """Return the line for a part that is described in our own words."""
    line = ""
    match part:
        case AgentPart():
            line = f"- names the agent {name(part.name or 'of no name')}"
        case RetryPart():
            line = f"- attempt {part.attempt:,} failed, asked again → {code(part.error.text)}"
        case CompactionPart():
            line = f"- what came before is replaced by a summary ({_compaction_cause(part)})"
        case NoticePart(subject=subject, value=value) if subject in NOTICES:
            line = f"- from here on, the {subject} is {code(options.relative(value))}"
        case UnknownPart(type=kind) if kind not in UNSHOWN_KINDS:
            line = f"- a part of the unknown kind {code(kind)}"
        case _:
            pass
    return line


def _compaction_cause(part: CompactionPart) -> str:
    if part.overflow:
        return "the conversation no longer fitted"
    return "by itself" if part.auto else "as asked"


def _files(paths: Sequence[str], options: TranscriptOptions) -> str:
    return listed([code(options.relative(path)) for path in paths], FILES_NAMED)


def _file(part: FilePart, options: TranscriptOptions) -> str:
    kind = name(part.mime or "of no type")
    if part.url.startswith("data:"):
        return f"- attached {code(part.filename or 'data')} ({kind}), {len(part.url):,} characters of data"
    place = options.relative(part.url.removeprefix("file://"))
    source = f" from {code(place)}" if part.filename else ""
    return f"- attached {code(part.filename or place)} ({kind}){source}"
