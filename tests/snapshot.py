"""Snapshots: files beside the tests with the output that somebody last accepted.

A missing snapshot fails as a changed one does. With ``UPDATE_SNAPSHOTS=1`` in the environment they are written anew,
and the difference is looked at in git.
"""

import json
import os
from pathlib import Path

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATES = bool(os.environ.get("UPDATE_SNAPSHOTS"))


def assert_matches(name: str, value: object) -> None:
    """Compare JSON with the snapshot of this name, such as ``tools/opencode_run``."""
    path = SNAPSHOTS / f"{name}.json"
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if UPDATES:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    assert path.is_file(), f"There is no snapshot {path}: make it with UPDATE_SNAPSHOTS=1, and look at it."
    assert path.read_text(encoding="utf-8") == text, (
        "It has changed: if that is meant, write it with UPDATE_SNAPSHOTS=1."
    )
