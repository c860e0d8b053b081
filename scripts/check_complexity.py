"""Check that no function has a complexity over the limit, as radon counts it.

ruff's rule C901 counts the branches of a function. radon also counts boolean operators and comprehensions, in which
decisions can stand as well. In tests, assertions do not count, and test functions are left out: they are read from
top to bottom. Their helper functions have the same limit.

From the repository: ``python -m scripts.check_complexity``; ``make lint`` runs it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

LIMIT = 8
FOLDERS = ("opencode_mcp", "scripts", "benchmarks", "examples", "tests")
PROJECT = Path(__file__).parents[1]
CLASS = "class"
"""Type of a result of radon's for a whole class; its methods have results of their own."""
TEST = "test_"
"""Beginning of the names of test functions."""


def too_complex(paths: Sequence[Path]) -> list[str]:
    """Return a line for each function over the limit, and for each file that radon cannot read.

    Args:
        paths: Files and folders to search.
    """
    command = [sys.executable, "-m", "radon", "cc", "--json", "--no-assert", *map(str, paths)]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout  # noqa: S603 - radon alone
    lines: list[str] = []
    for file, results in json.loads(printed).items():
        lines += [f"{file}: {results['error']}"] if isinstance(results, dict) else _lines(file, results)
    return lines


def _lines(file: str, results: Sequence[dict[str, Any]]) -> Iterator[str]:
    for result in results:
        measured = result["type"] != CLASS and not result["name"].startswith(TEST)
        if measured and result["complexity"] > LIMIT:
            yield f"{file}:{result['lineno']}: {result['name']} has a complexity of {result['complexity']}"


def main() -> int:
    """Print what is over the limit, and return the exit code."""
    lines = too_complex([PROJECT / folder for folder in FOLDERS])
    if lines:
        print("\n".join([*lines, f"The limit is {LIMIT}: split each of them, or use a table."]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
