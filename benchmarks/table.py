"""The rows that a benchmark prints: what was measured, beside what, and whether the target is met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from benchmarks.samples import Pairs

MET_WORDS: Mapping[object, str] = {True: "yes", False: "NO", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    measured: str
    ours: str
    beside: str = ""
    ratio: str = ""
    difference: str = ""
    target: str = ""
    met: bool | None = None
    """None: the row has no target."""


def paired_row(measured: str, pairs: Pairs, *, most: float | None = None) -> Row:
    """Make the row of paired times.

    Args:
        measured: What was timed.
        pairs: The times.
        most: How many milliseconds ours may take over the other.
    """
    return Row(
        measured=measured,
        ours=f"{median(pairs.ours):.1f} ms",
        beside=f"{median(pairs.beside):.1f} ms",
        ratio=f"{pairs.ratio:.2f}",
        difference=f"{pairs.difference:+.1f} ms",
        target="" if most is None else f"at most +{most:g} ms",
        met=None if most is None else pairs.difference <= most,
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """Lay rows out as a table that a person and a README can both read."""
    head = [field.name for field in fields(Row)]
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in ruled)


def _cells(row: Row) -> list[str]:
    values = [getattr(row, field.name) for field in fields(row)]
    return [MET_WORDS.get(value, str(value)) for value in values]
