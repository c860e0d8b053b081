"""Find operations by a person's words.

Pure, over the table alone. Rare words count more than common ones, an id's own words more than a description's, and
what few people mean (the coming v2 API, the terminal interface) comes after the rest unless it is named.
"""

import math
import re
from collections.abc import Mapping
from functools import cache

from opencode_mcp.opencode.operations.annotations import Effect, Group
from opencode_mcp.opencode.operations.catalog import Operation, operations

WEIGHTS = {"id": 4.0, "hints": 3.0, "summary": 2.0, "description": 1.0}
WORTH_SHOWING = 0.2
"""The share of the best score below which a hit is noise."""
BEGINNING = 0.5
"""What a word counts for that only begins with the one looked for."""
SHORTEST_BEGINNING = 4
EXACT = 100.0
"""What an operation scores by its own id: more than any words do."""
UNCOMMON = {"v2": 0.4, "tui": 0.5, "experimental": 0.7, "sync": 0.7}
"""What the score of an operation shrinks to whose id starts so, unless that is among the words."""
IGNORED = re.compile(
    "a|all|an|and|any|are|at|by|can|do|does|for|from|get|how|i|in|into|is|it|its|me|my|of|on|opencode|or|out|please|"
    "some|that|the|this|to|via|what|which|with"
)
ENDINGS = (("ies", "y"), ("ing", ""), ("es", ""), ("ed", ""), ("s", ""), ("e", ""))
SHORTEST_STEM = 3


def search(words: str, *, group: Group | None = None, effect: Effect | None = None, limit: int = 8) -> list[Operation]:
    """Give the operations that fit best, best first; without words, all there are, by id.

    Args:
        words: What is looked for; an operation's id works too.
        group: Only of this group.
        effect: Only of this effect.
        limit: At most so many.
    """
    within = [item for item in operations().values() if group in {None, item.group} and effect in {None, item.effect}]
    wanted = _stems(words)
    if not wanted:
        return within[:limit]
    scores = {item.id: _score(item, wanted, words) for item in within}
    least = max(scores.values(), default=0.0) * WORTH_SHOWING
    found = [item for item in within if scores[item.id] > 0 and scores[item.id] >= least]
    return sorted(found, key=lambda item: (-scores[item.id], len(item.id), item.id))[:limit]


def _score(item: Operation, wanted: list[str], words: str) -> float:
    if item.id.lower() == words.strip().lower():
        return EXACT
    known = _terms()[item.id]
    counts = [_count(known, word) * _rarity(word) for word in wanted]
    met = sum(count > 0 for count in counts) / len(counts)
    root = item.id.partition(".")[0]
    return sum(counts) * met * (1.0 if root in wanted else UNCOMMON.get(root, 1.0))


def _count(known: Mapping[str, float], word: str) -> float:
    if word in known:
        return known[word]
    if len(word) < SHORTEST_BEGINNING:
        return 0.0
    return BEGINNING * max((weight for term, weight in known.items() if term.startswith(word)), default=0.0)


@cache
def _rarity(word: str) -> float:
    met = sum(_count(known, word) > 0 for known in _terms().values())
    return math.log((len(_terms()) + 1) / (met + 1)) if met else 0.0


@cache
def _terms() -> Mapping[str, Mapping[str, float]]:
    """The words of each operation, each with the weight of the best place that it stands in."""
    return {item.id: _weighed(item) for item in operations().values()}


def _weighed(item: Operation) -> dict[str, float]:
    texts = {"id": item.id, "hints": item.hints, "summary": item.summary, "description": item.description}
    weighed: dict[str, float] = {}
    for place, text in texts.items():
        for stem in _stems(text):
            weighed[stem] = max(weighed.get(stem, 0.0), WEIGHTS[place])
    return weighed


def _stems(text: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = re.findall(r"[a-z0-9]+", apart.lower())
    return list(dict.fromkeys(_stem(word) for word in words if not IGNORED.fullmatch(word)))


def _stem(word: str) -> str:
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word.removesuffix(ending) + instead
    return word
