"""Text of a file after a change."""

from opencode_mcp.diffs.file_after_patch import text_after
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from tests.harness.each import for_each

WHOLE = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n"


@for_each(
    ("diff", "text"),
    [
        (FileDiff(file="x", patch=WHOLE), "one\nTWO\n"),
        (FileDiff(file="x", status="added", patch="@@ -0,0 +1,1 @@\n+one\n\\ No newline at end of file\n"), "one"),
        (FileDiff(file="x", status="deleted", patch="@@ -1,1 +0,0 @@\n-one\n"), ""),
        (FileDiff(file="x", patch="Binary files a/x and b/x differ\n"), None),
        (FileDiff(file="x", patch=f"{WHOLE}{WHOLE}"), None),
        (FileDiff(file="x", patch="@@ -5,1 +5,1 @@\n-one\n+two\n"), None),
    ],
)
def test_the_text_is_known_only_if_the_patch_has_the_whole_file(diff: FileDiff, text: str | None) -> None:
    assert text_after(diff) == text
