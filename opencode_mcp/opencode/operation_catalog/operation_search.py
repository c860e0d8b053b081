"""Find operations by words.

Pure, over the table alone. Rare words count more than common ones, and words of an id more than words of a
description. The first word counts most: in a plain request, it is the verb. A question is answered by an operation that
reads. A verb also finds operations that another verb of the same meaning describes, with less weight. In place of a
word that no operation has, the most similar one is searched for. Operations that few callers mean (the v2 API of
OpenCode 1, the terminal interface) rank lower, unless the words name that area. Previews of another operation come
last, and only if that one is not found.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from opencode_mcp.opencode.tables.annotation_types import Effect, Group
from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
from opencode_mcp.text import similar_names

WEIGHTS = {"id": 4.0, "hints": 3.0, "description": 1.5}
WORTH_SHOWING = 0.3
"""Share of the best score below which a hit is dropped."""
BEGINNING = 0.5
"""Factor for a word that only begins with the one searched for."""
SHORTEST_BEGINNING = 4
NEAR_THE_BEST = 0.8
"""Share of the best score from which on an operation is worth suggesting besides the best one."""
EXACT = 100.0
"""Score of an operation whose id is the query: more than any words score."""
PREVIEW = "v2"
"""Word with which the ids of previews begin."""
UNCOMMON = {PREVIEW: 0.4, "tui": 0.5, "experimental": 0.7, "sync": 0.7}
"""Factor for operations whose id starts with this word, unless the query contains it."""
IGNORED = re.compile(
    "a|all|an|and|any|are|at|by|can|do|does|for|from|get|how|i|in|into|is|it|its|last|me|my|of|on|opencode|or|out|"
    "please|show|some|that|the|there|this|to|via|want|what|which|who|with"
)
QUESTION = re.compile(r"\s*(which|what|who|is|are|how many|list|show|see|view)\b", re.IGNORECASE)
"""Beginning of a request that only asks for something."""
CHANGES_THOUGH_ASKED = 0.5
"""Factor for an operation that changes something, if the request only asks."""
LISTS = 1.2
"""Factor for an operation that lists, if the request only asks."""
LACKS_FIRST_WORD = 0.3
"""Factor for an operation that does not have the first word of the request."""
ENDINGS = (("ies", "y"), ("ing", ""), ("es", ""), ("ed", ""), ("s", ""), ("e", ""))
SHORTEST_STEM = 3
WORDS_KEPT = 1000
"""Words of queries whose rarity is kept."""
SHORTEST_MISTYPED = 4
"""Shortest word in place of which a similar one is searched for, in characters."""
SIMILAR = 0.75
"""Least similarity of a word that is searched for instead: one or two letters differ. It begins with the same one."""
SAME_MEANING = 0.6
"""Factor for the weight of a synonym."""
SYNONYMS = (
    "create add new make open start launch",
    "delete remove erase destroy drop",
    "stop kill abort cancel interrupt close terminate",
    "update change modify set rename",
    "edit write",
    "run execute exec",
    "allow approve accept grant",
    "reject deny decline refuse dismiss",
    "copy duplicate clone fork",
    "login signin authenticate",
    "undo rollback",
)
"""Verbs of one meaning, for callers who choose another one than the table."""
PHRASES = {"log in": "login", "sign in": "signin", "log out": "logout", "sign out": "logout"}
"""Verbs of two words, which would be found as two meanings."""


def search(
    table: OperationTable, words: str, *, group: Group | None = None, effect: Effect | None = None, limit: int = 8
) -> list[Operation]:
    """Return the operations that fit the words, the best first; without words, all of them by id.

    Args:
        table: The operations of one generation of OpenCode.
        words: The query; an operation's id works too.
        group: Only operations of this group.
        effect: Only operations of this effect.
        limit: Most operations to return.
    """
    within = _within(table, group, effect)
    wanted = _corrected(table, _stems(words))
    if not wanted:
        return within[:limit]
    scores = {item.id: _score(table, item, wanted, words) for item in within}
    best = max(scores.values(), default=0.0)
    found = [item for item in within if scores[item.id] > 0 and scores[item.id] >= best * WORTH_SHOWING]
    asks_for_previews = best == EXACT or PREVIEW in wanted
    if not asks_for_previews:
        found = _without_previews(found)
    given = set(re.findall(r"[a-z0-9]+", words.lower()))

    def rank(item: Operation) -> tuple[bool, float, int, int, str]:
        is_preview = bool(item.instead) and not asks_for_previews
        return is_preview, -scores[item.id], -len(given & set(item.id.split("."))), len(item.id), item.id

    return sorted(found, key=rank)[:limit]


def _without_previews(found: Sequence[Operation]) -> list[Operation]:
    """Return operations without the previews of others that are among them."""
    known = {item.id for item in found}
    return [item for item in found if item.instead not in known]


def corrections(table: OperationTable, words: str) -> dict[str, str]:
    """Return the words of a query that no operation has, each with the similar one that is searched for instead."""
    stems = _stems(words)
    described = " ".join(f"{item.id} {item.hints}" for item in table.operations.values())
    found: dict[str, str] = {}
    for given, taken in zip(stems, _corrected(table, stems), strict=True):
        if given != taken:
            found[_spelled(words, given)] = _spelled(described, taken)
    return found


def words_met(table: OperationTable, item: Operation | None, words: str) -> int:
    """Return the number of words of a query that an operation has; 0 without an operation."""
    if item is None:
        return 0
    terms = _terms(table)[item.id]
    return len([word for word in _stems(words) if _count(terms, word) > 0])


def fits_mostly(table: OperationTable, item: Operation, words: str) -> bool:
    """Return True if an operation has more than half of the words of a query."""
    return words_met(table, item, words) * 2 > len(_stems(words))


def unknown_words(table: OperationTable, words: str) -> list[str]:
    """Return the words of a query that no operation has, and for which none is searched for instead."""
    return [_spelled(words, word) for word in _corrected(table, _stems(words)) if not _rarity(table, word)]


def _spelled(text: str, stem: str) -> str:
    """Return the first word of a text that has a stem; the stem itself if none has."""
    return next((word for word in re.findall(r"[a-z0-9]+", text.lower()) if _stem(word) == stem), stem)


def _corrected(table: OperationTable, wanted: Sequence[str]) -> list[str]:
    """Return words, with a similar one in place of each that no operation has: it is mistyped."""
    return [word if _rarity(table, word) else _similar(table, word) for word in wanted]


@lru_cache(maxsize=WORDS_KEPT)
def _similar(table: OperationTable, word: str) -> str:
    """Return the most similar word of all operations; the word itself if none is."""
    if len(word) < SHORTEST_MISTYPED:
        return word
    weighed = [pair for terms in _terms(table).values() for pair in terms.items()]
    # Descriptions have many words that nobody searches for.
    known = {term for term, weight in weighed if term[0] == word[0] and weight > WEIGHTS["description"]}
    return next(iter(similar_names.similar_names(word, sorted(known), count=1, cutoff=SIMILAR)), word)


def suggested_ids(table: OperationTable, words: str, limit: int = 2) -> list[str]:
    """Return the ids of the operations that have all the words, the best first; none far behind the best.

    Args:
        table: The operations of one generation of OpenCode.
        words: The words, such as those of an id that does not exist.
        limit: Most ids to return.
    """
    wanted = _stems(words)
    if not wanted:
        return []
    fitting = [item for item in search(table, words) if _fits(table, item, wanted)]
    scores = [_score(table, item, wanted, words) for item in fitting]
    least = max(scores, default=0.0) * NEAR_THE_BEST
    return [item.id for item, score in zip(fitting, scores, strict=True) if score >= least][:limit]


def _fits(table: OperationTable, item: Operation, wanted: list[str]) -> bool:
    """Return True if each wanted word is one of an operation's id or hints, and it is no preview of another one."""
    known = _terms(table)[item.id]
    return not item.instead and all(_count(known, word) > WEIGHTS["description"] for word in wanted)


def _within(table: OperationTable, group: Group | None, effect: Effect | None) -> list[Operation]:
    every = table.operations.values()
    return [item for item in every if group in {None, item.group} and effect in {None, item.effect}]


def _score(table: OperationTable, item: Operation, wanted: list[str], words: str) -> float:
    if item.id.lower() == words.strip().lower():
        return EXACT
    known = _terms(table)[item.id]
    counts = [_count(known, word) * _rarity(table, word) for word in wanted]
    met = sum(count > 0 for count in counts) / len(counts)
    root = item.id.partition(".")[0]
    factor = 1.0 if root in wanted else UNCOMMON.get(root, 1.0)
    if _rarity(table, wanted[0]) and not counts[0]:
        factor *= LACKS_FIRST_WORD
    if QUESTION.match(words):
        factor *= _fit_to_question(item)
    return sum(counts) * met * factor


def _fit_to_question(item: Operation) -> float:
    """Return the factor for an operation, if the request only asks for something."""
    if item.effect != "read":
        return CHANGES_THOUGH_ASKED
    return LISTS if item.id.endswith(".list") else 1.0


def _count(known: Mapping[str, float], word: str) -> float:
    """Return the weight of a query word in an operation: its own, or that of a synonym or of a longer term."""
    if word in known:
        return known[word]
    similar = [SAME_MEANING * known[other] for other in _synonyms().get(word, ()) if other in known]
    if len(word) >= SHORTEST_BEGINNING:
        similar += [BEGINNING * weight for term, weight in known.items() if term.startswith(word)]
    return max(similar, default=0.0)


@cache
def _synonyms() -> Mapping[str, frozenset[str]]:
    """Return the synonyms of each verb; all words are stems."""
    groups = [frozenset(map(_stem, words.split())) for words in SYNONYMS]
    return {word: group for group in groups for word in group}


@lru_cache(maxsize=WORDS_KEPT)
def _rarity(table: OperationTable, word: str) -> float:
    terms = _terms(table)
    met = sum(_count(known, word) > 0 for known in terms.values())
    return math.log((len(terms) + 1) / (met + 1)) if met else 0.0


@cache
def _terms(table: OperationTable) -> Mapping[str, Mapping[str, float]]:
    """Return the words of each operation, each with the weight of the best text that contains it."""
    return {item.id: _weighed(item) for item in table.operations.values()}


def _weighed(item: Operation) -> dict[str, float]:
    texts = {"id": item.id, "hints": item.hints, "description": item.description}
    weighed: dict[str, float] = {}
    for place, text in texts.items():
        for stem in _stems(text):
            weighed[stem] = max(weighed.get(stem, 0.0), WEIGHTS[place])
    return weighed


def _stems(text: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
    for phrase, word in PHRASES.items():
        apart = re.sub(rf"\b{phrase}\b", word, apart)
    words = re.findall(r"[a-z0-9]+", apart)
    return list(dict.fromkeys(_stem(word) for word in words if not IGNORED.fullmatch(word)))


def _stem(word: str) -> str:
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word.removesuffix(ending) + instead
    return word
