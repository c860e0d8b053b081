"""Which paths of a project fit the words of a query, and which of them fit best. Pure.

Paths and queries come from outside. So a path costs time in proportion to its length and the number of words, and of
many paths only the best are kept.
"""

from collections.abc import Iterator

MOST_WORDS = 20
"""Words of a query that are compared; each one costs a look at every path."""
LONGEST_PATH = 5000
"""Characters of a path that are compared; no file system has longer ones."""

Rank = tuple[int, int, str]
"""Sorts paths, the best first: how each word fits, the length, and the path itself."""


class PathRanking:
    """Takes paths one by one, and keeps the best of those that fit.

    A path fits when every word is found in it, letter case aside: as its name, at the beginning of its name, within its
    name, within the path, or at least letter by letter in this order. This is also the order of the ranks; a path that
    fits several words has the sum of their ranks. The shorter path comes first among equals.

    Args:
        query: Words, separated by white space. Without words, every path fits.
        most: How many paths to keep.
    """

    def __init__(self, query: str, most: int) -> None:
        self._words = query.casefold().split()[:MOST_WORDS]
        self._most = most
        self._kept: list[tuple[Rank, str]] = []
        self.complete = True
        """Whether no path that fits was dropped."""

    def add(self, path: str) -> None:
        """Keep a path if it fits; a folder's ends in a slash."""
        fit = self._fit(path)
        if fit is None:
            return
        self._kept.append(((fit, len(path), path), path))
        if len(self._kept) > 2 * self._most:
            self._drop()

    def best(self) -> list[str]:
        """The paths that fit, the best first."""
        self._drop()
        return [path for _, path in self._kept]

    def _drop(self) -> None:
        self._kept.sort()
        self.complete = self.complete and len(self._kept) <= self._most
        del self._kept[self._most :]

    def _fit(self, path: str) -> int | None:
        """How well all words fit, 0 for the best; ``None`` if one does not fit at all."""
        plain = path[:LONGEST_PATH].rstrip("/").casefold()
        name = plain.rpartition("/")[2]
        total = 0
        for word in self._words:
            fit = _fit(word.rstrip("/") or "/", plain, name)
            if fit is None:
                return None
            total += fit
        return total


def _fit(word: str, path: str, name: str) -> int | None:
    """How well a word fits a path: 0 for its name or the whole path, up to 5; ``None`` if it does not."""
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
    """Whether a path has all letters in this order, with anything between them."""
    start = 0
    for letter in letters:
        start = path.find(letter, start) + 1
        if not start:
            return False
    return True


def folders_between(before: str, path: str) -> Iterator[str]:
    """The folders that a path is in and the path before it is not, the outermost first; each ends in a slash.

    Of paths in the order of a walk through the folders, this names each folder once.
    """
    common = _common(before, path)
    end = path.rfind("/", 0, common) + 1
    while end := path.find("/", end) + 1:
        yield path[:end]


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))
