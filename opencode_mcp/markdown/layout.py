"""Blocks of Markdown that share a number of characters fairly, each cut in its own place and saying so there.

Pure, and it knows neither messages nor diffs. A block is drawn at a limit and is as short as it can be at 0, so every
size that is needed is got by drawing. Where a section is too long, the blocks that need little are drawn whole and the
long ones get equal shares of the rest; only where not even the shortest form of each fits are blocks left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from opencode_mcp.markdown.excerpt import CODE_LIMIT, FENCE_LENGTH, code, fence, head, tail
from opencode_mcp.text.outside_text import clean

ANY_LENGTH = 1 << 40
"""A limit that nothing reaches."""
NOTE_LENGTH = 60
"""Characters that the words about a cut take."""
LEAST_SHOWN = 40
"""A cut text of fewer characters tells nothing."""
NEVER_CUT = 80
"""A text of fewer characters is shown, since to say that it is not takes as many."""
QUOTING_TRIES = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """Markdown, and whether something in it is cut."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Words of ours, never cut."""

    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Somebody else's text, shown to a length."""

    text: str
    most: int
    """Characters of it that are shown."""
    title: str = ""
    """Words of ours before it."""
    from_end: bool = False
    """Whether its end matters more than its beginning."""
    language: str = ""
    """What the fence says of it; a text of no language may also stand in its title's line."""


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under one title."""

    title: str
    blocks: Sequence["Block"]
    key: str = ""
    """What names the section where it is left out."""
    noun: str = "parts"
    """What its blocks are."""
    from_end: bool = True
    """Whether the last blocks matter more than the first."""
    quoted: bool = False
    """Whether the blocks are set off as another's."""
    gap: str = "\n"


Block: TypeAlias = Line | Excerpt | Section


def draw(block: Block, limit: int = ANY_LENGTH) -> Drawn:
    """Draw a block in so many characters, or as few above as it needs to say what it leaves out."""
    match block:
        case Line(text):
            return Drawn(text)
        case Excerpt():
            return _draw_excerpt(block, limit)
        case Section():
            return _draw_quoted(block, limit) if block.quoted else _draw_section(block, limit)


def allot(sizes: Sequence[int], leasts: Sequence[int], total: int) -> list[int]:
    """Share out a total: everybody the least they need, nobody more than they use, the rest as evenly as it goes."""
    low, high = 0, max(sizes, default=0)
    while low < high:
        level = (low + high + 1) // 2
        if sum(_shares(sizes, leasts, level)) <= total:
            low = level
        else:
            high = level - 1
    return _shares(sizes, leasts, low)


def _shares(sizes: Sequence[int], leasts: Sequence[int], level: int) -> list[int]:
    return [max(least, min(size, level)) for size, least in zip(sizes, leasts, strict=True)]


def _draw_excerpt(block: Excerpt, limit: int) -> Drawn:
    length = len(block.text)
    if block.title and not block.language and _fits_a_line(block.text):
        return Drawn(f"{block.title} {code(block.text)}")
    room = min(block.most, limit - len(block.title) - FENCE_LENGTH - len(block.language) - NOTE_LENGTH)
    room = max(room, length) if length < NEVER_CUT else room
    if length > room and room < LEAST_SHOWN:
        return Drawn(_say(block.title, f"{length:,} characters, not shown"), cut=True)
    shown = (tail if block.from_end else head)(block.text, room)
    end = "last" if block.from_end else "first"
    said = f"the {end} {len(shown):,} of {length:,} characters:" if len(shown) < length else ""
    lead = _say(block.title, said)
    return Drawn("\n".join(filter(None, [lead, fence(clean(shown), block.language)])), cut=bool(said))


def _fits_a_line(text: str) -> bool:
    inside = text.strip()
    return 0 < len(inside) <= CODE_LIMIT and " ".join(inside.split()) == clean(inside)


def _say(title: str, said: str) -> str:
    return f"{title} {said}".rstrip() if title else said[:1].upper() + said[1:]


def _draw_section(section: Section, limit: int) -> Drawn:
    whole = [draw(block) for block in section.blocks]
    drawn = _join(section, whole)
    if len(drawn.text) <= limit:
        return drawn
    leasts = [draw(block, 0) for block in section.blocks]
    kept = _places_kept(section, [len(least.text) + len(section.gap) for least in leasts], limit)
    blocks = [section.blocks[place] for place in kept]
    note = _left_out(section, len(blocks))
    room = limit - len(section.title) - len(note) - len(section.gap) * (len(blocks) + 1)
    shares = allot([len(whole[place].text) for place in kept], [len(leasts[place].text) for place in kept], room)
    short = _join(section, [draw(block, share) for block, share in zip(blocks, shares, strict=True)], note)
    return min(drawn, short, key=lambda one: len(one.text))


def _places_kept(section: Section, lengths: Sequence[int], limit: int) -> Sequence[int]:
    """Which blocks fit when each is as short as it can be."""
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
    """Say which blocks are left out; the longest it gets is when all are."""
    count = len(section.blocks) - kept
    if not count:
        return ""
    gone = section.blocks[:count] if section.from_end else section.blocks[kept:]
    keys = [block.key for block in (gone[0], gone[-1]) if isinstance(block, Section) and block.key]
    which = f" ({' to '.join(dict.fromkeys(keys))})" if keys else ""
    return f"- {count:,} {'earlier' if section.from_end else 'more'} {section.noun} left out{which}"


def _join(section: Section, drawn: Sequence[Drawn], note: str = "") -> Drawn:
    texts = [piece.text for piece in drawn]
    inside = section.gap.join(filter(None, [note, *texts] if section.from_end else [*texts, note]))
    body = "\n".join(f"> {line}".rstrip() for line in inside.split("\n")) if section.quoted and inside else inside
    text = "\n".join(filter(None, [section.title, body]))
    return Drawn(text, cut=bool(note) or any(piece.cut for piece in drawn))


def _draw_quoted(section: Section, limit: int) -> Drawn:
    """What quoting adds depends on the lines that are left, so the room inside is found by trying."""
    room = limit
    for _ in range(QUOTING_TRIES):
        drawn = _draw_section(section, room)
        if len(drawn.text) <= limit:
            return drawn
        room = max(room * limit // len(drawn.text) - 1, 0)
    return _draw_section(section, 0)
