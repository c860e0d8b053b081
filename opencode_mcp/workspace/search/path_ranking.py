"""Ranking of a project's paths by the words of a query. Pure.

Paths and queries come from outside. So the cost of a path is proportional to its length and the number of words, and of
many paths only the best are kept.
"""

from collections.abc import Iterator

MOST_WORDS = 20
"""Most words of a query that are compared; each one is compared with every path."""
PATH_CHARACTERS = 5000
"""Longest path that is compared, in characters; no file system has longer ones."""

Rank = tuple[int, int, str]
"""Sort key, the best path first: how well each word matches, the length, and the path itself."""


class PathRanking:
    """Collects paths one by one, and keeps the best of those that match.

    A path matches if every word is found in it, regardless of case: as its name, at the beginning of its name, inside
    its name, inside the path, or at least letter by letter in this order. This is also the order of the ranks; a path
    that matches several words has the sum of their ranks. Among equals the shorter path comes first.

    Args:
        query: Words, separated by white space. Without words, every path matches.
        most: Most paths to keep.
    """

    def __init__(self, query: str, most: int) -> None:
        self._words = query.casefold().split()[:MOST_WORDS]
        self._most = most
        self._kept: list[tuple[Rank, str]] = []
        self.complete = True
        """True if no matching path was dropped."""

    def add(self, path: str) -> None:
        """Keep a path if it matches; the path of a folder ends in a slash."""
        fit = self._fit(path)
        if fit is None:
            return
        self._kept.append(((fit, len(path), path), path))
        if len(self._kept) > 2 * self._most:
            self._drop()

    def best(self) -> list[str]:
        """Return the paths that match, the best first."""
        self._drop()
        return [path for _, path in self._kept]

    def _drop(self) -> None:
        self._kept.sort()
        self.complete = self.complete and len(self._kept) <= self._most
        del self._kept[self._most :]

    def _fit(self, path: str) -> int | None:
        """Return how well all words match, 0 for the best; ``None`` if one does not match."""
        plain = path[:PATH_CHARACTERS].rstrip("/").casefold()
        name = plain.rpartition("/")[2]
        total = 0
        for word in self._words:
            fit = _fit(word.rstrip("/") or "/", plain, name)
            if fit is None:
                return None
            total += fit
        return total


def _fit(word: str, path: str, name: str) -> int | None:
    """Return how well a word matches a path: 0 for its name or the whole path, up to 5; ``None`` if it does not."""
    if word in {name, path, name.partition(".")[0]}:
        return 0
    if name.startswith(word):
        return 1
    if word in name:
        return 2
    if path.startswith(word) or f"/{word}" in path:
        return 3
    if word in path:
        return 4
    return 5 if _in_order(word, path) else None


def _in_order(letters: str, path: str) -> bool:
    """Return True if a path contains all letters in this order, with anything between them."""
    start = 0
    for letter in letters:
        start = path.find(letter, start) + 1
        if not start:
            return False
    return True


def folders_between(before: str, path: str) -> Iterator[str]:
    """Yield the folders of a path that do not contain the path before it, outermost first; each ends in a slash.

    For paths in the order of a walk through the folders, this yields each folder once.
    """
    common = _common(before, path)
    end = path.rfind("/", 0, common) + 1
    while end := path.find("/", end) + 1:
        yield path[:end]


def _common(one: str, other: str) -> int:
    """Return the length of the common beginning of two texts."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))
