"""Files that a tool call names, in the spellings of both generations of OpenCode."""

from typing import Any

from opencode_mcp.diffs.named_files import absolute, can_write, named_files, possible_paths
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from tests.harness.each import for_each

PATCH = """*** Begin Patch
*** Add File: new.txt
+one
*** Update File: old.txt
*** Move to: moved.txt
*** Delete File: gone.txt
*** End Patch"""


def call(tool: str, arguments: dict[str, Any], status: str = "completed", **metadata: object) -> ToolPart:
    state = {"status": status, "input": arguments, "metadata": metadata}
    return ToolPart.model_validate({"type": "tool", "tool": tool, "state": state})


@for_each(
    ("made", "files"),
    [
        (call("write", {"filePath": "a.txt"}), {"/p/a.txt"}),
        (call("write", {"filePath": "/p/a.txt"}, filepath="/p/a.txt"), {"/p/a.txt"}),
        (call("edit", {"path": "./src/../a.txt"}), {"/p/a.txt"}),
        (call("edit", {"path": "a.txt"}, files=[{"file": "a.txt"}]), {"/p/a.txt"}),
        (call("edit", {}, filediff={"file": "/p/a.txt"}), {"/p/a.txt"}),
        (
            call("apply_patch", {"patchText": PATCH}),
            {"/p/new.txt", "/p/old.txt", "/p/moved.txt", "/p/gone.txt"},
        ),
        (call("write", {"filePath": "a.txt"}, status="error"), set[str]()),
        (call("bash", {"command": "touch a.txt", "path": "a.txt"}), set[str]()),
        (call("read", {"filePath": "a.txt"}), set[str]()),
        (call("write", {"filePath": "a.txt", "content": PATCH}), {"/p/a.txt"}),
        (call("write", {"filePath": 7}, files="odd", filediff=[]), set[str]()),
    ],
)
def test_an_editing_call_names_the_files_that_it_changed(made: ToolPart, files: set[str]) -> None:
    assert named_files(made, "/p") == files


@for_each(
    ("tool", "status", "able"),
    [
        ("bash", "running", True),
        ("write", "completed", True),
        ("server_tool", "error", True),
        ("write", "pending", False),
        ("read", "completed", False),
        ("question", "completed", False),
        ("task", "completed", False),
    ],
)
def test_a_call_can_write_unless_its_tool_only_reads_or_it_has_not_begun(tool: str, status: str, able: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert can_write(call(tool, {}, status)) is able


@for_each(
    ("named", "file", "directory", "same"),
    [
        ("/p/a.txt", "a.txt", "/p", True),
        ("/p/a.txt", "/p/a.txt", "/p", True),
        ("/p/data.txt", "a.txt", "/p", False),
        ("/p/src/a.txt", "a.txt", "/p", False),
        ("/p/sub/a.txt", "sub/a.txt", "/p/sub", True),
        ("/p/sub/a.txt", "a.txt", "/p/sub/", True),
        ("/p/a.txt", "a.txt", "/p/sub", True),
        ("/q/a.txt", "a.txt", "/p", False),
        ("C:/p/a.txt", "a.txt", "C:\\p", True),
    ],
)
def test_the_file_of_a_diff_is_known_by_its_path_from_the_directory_or_the_worktree(
    named: str,
    file: str,
    directory: str,
    same: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert (named in possible_paths(file, directory)) is same


def test_a_path_of_windows_is_absolute_as_it_is() -> None:
    assert absolute("C:\\p\\a.txt", "/x") == "C:/p/a.txt"
