"""Walking a tree of classes, for tests that must hold for every member."""

from typing import TypeVar

Kind = TypeVar("Kind")


def descendants(kind: type[Kind]) -> list[type[Kind]]:
    """Every class below one, each once, parents before children, in the order in which they were defined."""
    found = [below for child in kind.__subclasses__() for below in (child, *descendants(child))]
    return list(dict.fromkeys(found))
