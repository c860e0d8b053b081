"""Sessions of a real OpenCode, as ``scripts/record_transcripts.py`` keeps them, and how they are to be shown."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message

FOLDER = Path(__file__).parents[1] / "snapshots" / "transcripts"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
DIRECTORY = "/project"


@dataclass(frozen=True, slots=True)
class Recording:
    """One session."""

    messages: list[Message]
    children: dict[str, list[Message]]
    diffs: list[list[FileDiff]]
    working_tree: dict[str, list[FileDiff]]
    raw: str


def load(name: str) -> Recording:
    kept: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    tree: dict[str, Any] = kept["working_tree"]
    return Recording(
        messages=Message.read_list(kept["messages"]),
        children={session: Message.read_list(messages) for session, messages in kept["children"].items()},
        diffs=[FileDiff.read_list(diffs) for diffs in kept["diffs"]],
        working_tree={mode: FileDiff.read_list(tree[mode]) for mode in ("git", "branch")},
        raw=tree["raw"],
    )


def hold_to_golden(name: str, text: str) -> None:
    """Compare with what is kept; ``UPDATE_SNAPSHOTS=1`` keeps this instead."""
    golden = FOLDER / f"{name}.md"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        golden.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    assert golden.exists(), f"{golden} is missing: look at what UPDATE_SNAPSHOTS=1 writes, and keep it if it is right"
    assert golden.read_text(encoding="utf-8") == f"{text}\n"
