"""Patches of discarded work are bounded in size, in number and in time, and hold what ``git apply`` takes."""

import os
import time
from pathlib import Path

import pytest

from opencode_mcp.isolation.repository.kept_commits import DAY_SECONDS, DISCARDED_DAYS
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.remote_isolation import discarded_patches
from opencode_mcp.remote_isolation.discarded_patches import DiscardedPatches, WorkPatch, patch_of

EMPTY = FileDiff(file="empty", patch="diff --git a/empty b/empty\nnew file mode 100644\nindex 0000000..e69de29\n")
BINARY = FileDiff(file="bin", patch="diff --git a/bin b/bin\nindex 1..2 100644\nBinary files a/bin and b/bin differ\n")
TEXT = FileDiff(file="text", patch="diff --git a/text b/text\n--- a/text\n+++ b/text\n@@ -1 +1 @@\n-1\n+Binary files ")


def test_a_patch_lacks_what_git_could_not_apply() -> None:
    patch = patch_of([EMPTY, BINARY, TEXT, FileDiff(file="untold")])
    assert patch.content.decode() == f"{EMPTY.patch}{TEXT.patch}\n"
    assert patch.without == ["bin", "untold"]


def test_a_patch_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discarded_patches, "LARGEST_BYTES", 10)
    assert patch_of([EMPTY, TEXT]) == WorkPatch(without=["empty", "text"])


def test_only_the_latest_patches_of_the_last_days_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discarded_patches, "MOST_PATCHES", 2)
    patches = DiscardedPatches(tmp_path / "patches")
    assert patches.keep("none", WorkPatch()) is None
    now = time.time()
    ages = {"old": (DISCARDED_DAYS + 1) * DAY_SECONDS, "third": 300.0, "second": 200.0}
    for name, age in ages.items():
        path = patches.keep(name, WorkPatch(b"x"))
        assert path is not None
        os.utime(path, (now - age, now - age))
    patches.keep("first", WorkPatch(b"x"))
    assert {path.stem for path in (tmp_path / "patches").iterdir()} == {"first", "second"}
