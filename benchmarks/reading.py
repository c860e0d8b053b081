"""Reading what is large: the first page of a 2,000-message transcript, and searches of a tree of 20,000 files.

Each beside the one request to OpenCode that answers the same.
"""

from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call, timed_get
from benchmarks.work import TITLE
from benchmarks.world import World
from tests.harness.project import git

ROUNDS = 25
MESSAGES = 2000
PAGE = 20
FOLDERS = 200
FILES = 100
"""In each folder."""
RARE = "needle"
"""Word that is in the name and the text of one file among the hundred of each folder."""


async def transcript(world: World) -> list[Row]:
    """Measure the first page of a long transcript."""
    async with world.bridge() as bridge, world.direct() as http:
        session = await _long_session(http)
        pairs = await interleaved(
            partial(timed_call, bridge, "opencode_session", session_id=session, limit=PAGE),
            partial(timed_get, http, f"/session/{session}/message", limit=PAGE),
            rounds=ROUNDS,
        )
    return [paired_row(f"opencode_session, first page of {MESSAGES} messages, beside GET of that page alone", pairs)]


async def _long_session(http: httpx.AsyncClient) -> str:
    """Make a session of many messages; none asks the model."""
    session: dict[str, Any] = (await http.post("/session", json={"title": TITLE})).raise_for_status().json()
    for number in range(MESSAGES):
        body = {"noReply": True, "parts": [{"type": "text", "text": f"Message {number}. " + "It says little. " * 20}]}
        (await http.post(f"/session/{session['id']}/message", json=body)).raise_for_status()
    return session["id"]


async def search(world: World) -> list[Row]:
    """Measure searches of a large tree."""
    tree = _large_tree(world.project.with_name("tree"))
    async with world.bridge(project=tree) as bridge, world.direct(tree) as http:
        files = await interleaved(
            partial(timed_call, bridge, "opencode_find_files", query=RARE, directory=str(tree)),
            partial(timed_get, http, "/find/file", query=RARE, limit=200),
            rounds=ROUNDS,
        )
        text = await interleaved(
            partial(timed_call, bridge, "opencode_find_text", pattern=RARE, directory=str(tree)),
            partial(timed_get, http, "/find", pattern=RARE),
            rounds=ROUNDS,
        )
    size = f"{FOLDERS * FILES} files"
    return [
        paired_row(f"opencode_find_files in {size} beside GET /find/file", files),
        paired_row(f"opencode_find_text in {size}, 50 matches, beside GET /find, 10 matches", text),
    ]


def _large_tree(tree: Path) -> Path:
    for folder in range(FOLDERS):
        path = tree / f"part{folder:03}"
        path.mkdir(parents=True)
        for file in range(FILES):
            name = RARE if file == FILES // 2 else "straw"
            text = f"line one\n{name} {folder}\nline three\n"
            (path / f"{name}{file:03}.txt").write_text(text, encoding="utf-8")
    git(tree, "init", "--quiet", "--initial-branch=main")
    return tree
