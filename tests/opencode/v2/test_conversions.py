"""The files of an undo are known by their names, whatever header their patches have."""

import pytest

from opencode_mcp.diffs.git_diff_text import parse_raw, paths_in
from opencode_mcp.opencode.v2.conversions import providers_of, undone_of
from tests.harness.each import for_each

HUNK = "@@ -1 +1 @@\n-old\n+new\n"
NAMES = ["opencode.json", "a b/x y.txt", ".opencode/ünï.md", "deep/er/file.py"]
HEADERS = ["", "--- a\n+++ b\n", "Index: x\n===\n--- x\told\n+++ x\tnew\n"]


@for_each("name", NAMES)
def test_an_undone_file_is_named_whatever_header_its_patch_has(name: str) -> None:
    for header in HEADERS:
        undone = undone_of({"messageID": "msg_1", "files": [{"file": name, "patch": header + HUNK}]})
        assert paths_in(undone.diff) == [name]
        assert [(file.file, file.additions, file.deletions) for file in parse_raw(undone.diff)] == [(name, 1, 1)]


@for_each("name", NAMES)
def test_an_undone_file_without_a_patch_is_named(name: str) -> None:
    undone = undone_of({"messageID": "msg_1", "files": [{"file": name}, {"file": "other.txt", "patch": HUNK}]})
    assert paths_in(undone.diff) == [name, "other.txt"]


@pytest.mark.parametrize("status", ["added", "deleted"])
def test_an_added_and_a_deleted_file_keep_their_status(status: str) -> None:
    undone = undone_of({"messageID": "msg_1", "files": [{"file": "a.txt", "patch": HUNK, "status": status}]})
    assert [(file.file, file.status) for file in parse_raw(undone.diff)] == [("a.txt", status)]


def test_a_patch_of_git_is_kept_as_it_is() -> None:
    patch = f"diff --git a/a.txt b/a.txt\nindex 1..2 100644\n--- a/a.txt\n+++ b/a.txt\n{HUNK}"
    assert undone_of({"files": [{"file": "a.txt", "patch": patch}]}).diff == patch


PRICE = {"input": 3, "output": 15, "cache": {"read": 0, "write": 0}}
LONG = {"tier": {"type": "context", "size": 200_000}, "input": 6, "output": 22}


@for_each(
    ("cost", "price"),
    [([LONG, PRICE], (3, 15)), ([PRICE], (3, 15)), ([], None), (None, None), ([LONG], None), (7, None)],
)
def test_a_model_has_the_price_of_its_usual_context(cost: object, price: object) -> None:
    model = {"id": "m", "providerID": "p", "cost": cost, "limit": {"context": 200_000, "output": 1}}
    (found,) = providers_of([model]).usable_models.values()
    assert (found.price, found.context) == (price, 200_000)
