"""Blocks of Markdown that share a number of characters fairly; each is cut in its own place, with a note there.

Pure, without knowledge of messages and diffs. A block is rendered at a limit, and is as short as possible at 0, so
every size is found by rendering. If a section is too long, short blocks are rendered whole and long ones get equal
shares of the rest. Blocks are left out only if not even the shortest form of each fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from opencode_mcp.markdown.excerpt import CODE_CHARACTERS, FENCE_CHARACTERS, code, fence, head, tail
from opencode_mcp.text.outside_text import clean

ANY_LENGTH = 1 << 40
"""Limit that no text reaches."""
NOTE_CHARACTERS = 60
"""Length of the note about a cut, in characters."""
SHORTEST_EXCERPT_CHARACTERS = 40
"""Shortest part of a text that is shown, in characters; a shorter one would be useless."""
UNCUT_CHARACTERS = 80
"""Texts of fewer characters are always shown: the note about the cut would be as long."""
QUOTING_TRIES = 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """Markdown, with True if something in it was cut."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class PlainLine:
    """Text of our own, never cut."""

    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text of others, shown up to a length."""

    text: str
    most: int
    """Most characters of it that are shown."""
    title: str = ""
    """Text of our own in front of it."""
    from_end: bool = False
    """True if its end matters more than its beginning."""
    language: str = ""
    """Language of the fence; a text without one may also be put on the line of its title."""


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under one title."""

    title: str
    blocks: Sequence["Block"]
    key: str = ""
    """Name of the section in the note about blocks that are left out."""
    noun: str = "parts"
    """Noun for its blocks."""
    from_end: bool = True
    """True if the last blocks matter more than the first."""
    quoted: bool = False
    """True if the blocks are rendered as a quotation."""
    gap: str = "\n"


Block: TypeAlias = PlainLine | Excerpt | Section


def draw(block: Block, limit: int = ANY_LENGTH) -> Drawing:
    """Render a block within a limit, or as little above it as its notes about cuts need."""
    match block:
        case PlainLine(text):
            return Drawing(text)
        case Excerpt():
            return _draw_excerpt(block, limit)
        case Section():
            return _draw_quoted(block, limit) if block.quoted else _draw_section(block, limit)


def allot(sizes: Sequence[int], minimums: Sequence[int], total: int) -> list[int]:
    """Distribute a total: each gets its minimum, none more than it uses, the rest as evenly as possible."""
    low, high = 0, max(sizes, default=0)
    while low < high:
        level = (low + high + 1) // 2
        if sum(_shares(sizes, minimums, level)) <= total:
            low = level
        else:
            high = level - 1
    return _shares(sizes, minimums, low)


def _shares(sizes: Sequence[int], minimums: Sequence[int], level: int) -> list[int]:
    return [max(minimum, min(size, level)) for size, minimum in zip(sizes, minimums, strict=True)]


def _draw_excerpt(block: Excerpt, limit: int) -> Drawing:
    length = len(block.text)
    if block.title and not block.language and _fits_a_line(block.text):
        return Drawing(f"{block.title} {code(block.text)}")
    room = _excerpt_room(block, limit)
    if length > room and room < SHORTEST_EXCERPT_CHARACTERS:
        return Drawing(_say(block.title, f"{length:,} characters, not shown"), cut=True)
    shown = (tail if block.from_end else head)(block.text, room)
    note = _cut_note(block, len(shown))
    lead = _say(block.title, note)
    return Drawing("\n".join(filter(None, [lead, fence(clean(shown), block.language)])), cut=bool(note))


def _excerpt_room(block: Excerpt, limit: int) -> int:
    room = min(block.most, limit - len(block.title) - FENCE_CHARACTERS - len(block.language) - NOTE_CHARACTERS)
    length = len(block.text)
    return max(room, length) if length < UNCUT_CHARACTERS else room


def _cut_note(block: Excerpt, shown: int) -> str:
    length = len(block.text)
    if shown >= length:
        return ""
    return f"the {'last' if block.from_end else 'first'} {shown:,} of {length:,} characters:"


def _fits_a_line(text: str) -> bool:
    inside = text.strip()
    return 0 < len(inside) <= CODE_CHARACTERS and " ".join(inside.split()) == clean(inside)


def _say(title: str, words: str) -> str:
    return f"{title} {words}".rstrip() if title else words[:1].upper() + words[1:]


def _draw_section(section: Section, limit: int) -> Drawing:
    whole = [draw(block) for block in section.blocks]
    drawn = _join(section, whole)
    if len(drawn.text) <= limit:
        return drawn
    short = _draw_shortened(section, [len(piece.text) for piece in whole], limit)
    return min(drawn, short, key=lambda one: len(one.text))


def _draw_shortened(section: Section, sizes: Sequence[int], limit: int) -> Drawing:
    minimums = [len(draw(block, 0).text) for block in section.blocks]
    kept = _places_kept(section, [minimum + len(section.gap) for minimum in minimums], limit)
    note = _left_out(section, len(kept))
    room = limit - len(section.title) - len(note) - len(section.gap) * (len(kept) + 1)
    shares = allot([sizes[place] for place in kept], [minimums[place] for place in kept], room)
    pieces = [draw(section.blocks[place], share) for place, share in zip(kept, shares, strict=True)]
    return _join(section, pieces, note)


def _places_kept(section: Section, lengths: Sequence[int], limit: int) -> Sequence[int]:
    """Return the blocks that fit if each is as short as possible."""
    every = range(len(lengths))
    room = limit - len(section.title)
    if sum(lengths) <= room:
        return every
    room -= len(_left_out(section, 0))
    count = 0
    for place in reversed(every) if section.from_end else every:
        room -= lengths[place]
        if room < 0:
            break
        count += 1
    return every[len(every) - count :] if section.from_end else every[:count]


def _left_out(section: Section, kept: int) -> str:
    """Return the note about blocks that are left out; it is longest if all are."""
    count = len(section.blocks) - kept
    if not count:
        return ""
    gone = section.blocks[:count] if section.from_end else section.blocks[kept:]
    keys = [block.key for block in (gone[0], gone[-1]) if isinstance(block, Section) and block.key]
    which = f" ({' to '.join(dict.fromkeys(keys))})" if keys else ""
    return f"- {count:,} {'earlier' if section.from_end else 'more'} {section.noun} left out{which}"


def _join(section: Section, drawn: Sequence[Drawing], note: str = "") -> Drawing:
    texts = [piece.text for piece in drawn]
    inside = section.gap.join(filter(None, [note, *texts] if section.from_end else [*texts, note]))
    body = "\n".join(f"> {line}".rstrip() for line in inside.split("\n")) if section.quoted and inside else inside
    text = "\n".join(filter(None, [section.title, body]))
    return Drawing(text, cut=bool(note) or any(piece.cut for piece in drawn))


def _draw_quoted(section: Section, limit: int) -> Drawing:
    """Render a quoted section. The room for quotation marks depends on the remaining lines, so it is tried."""
    room = limit
    for _ in range(QUOTING_TRIES):
        drawn = _draw_section(section, room)
        if len(drawn.text) <= limit:
            return drawn
        room = max(room * limit // len(drawn.text) - 1, 0)
    return _draw_section(section, 0)
