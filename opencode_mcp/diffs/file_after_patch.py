"""Text of a file after a change, out of a patch that has the whole file. Pure."""

from opencode_mcp.diffs.patches import lines_of, parse
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff


def text_after(diff: FileDiff) -> str | None:
    """Return the text of a file after a change; ``None`` if the patch does not show it, as that of a binary file.

    OpenCode's patches have the whole file; changes that do not fit together are several patches in a row.
    """
    if diff.status == "deleted":
        return ""
    hunks = parse(diff.patch).hunks
    if len(hunks) != 1 or hunks[0].new_start > 1:
        return None
    return "".join(lines_of(hunks[0].edits, " +"))
