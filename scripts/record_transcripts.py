"""Record sessions of a real OpenCode as test data for transcripts and diffs.

The scenarios are in ``scripts/transcript_scenarios.py``. From the repository::

    python -m scripts.record_transcripts              all scenarios
    python -m scripts.record_transcripts edits retry  some

The recordings are written to ``tests/snapshots/transcripts/``. Their expected rendering is beside them:
``UPDATE_SNAPSHOTS=1 python -m pytest tests/runs`` writes it again.
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio

from scripts.recordings import Normaliser
from scripts.transcript_scenarios import SCENARIOS, Desk
from tests.harness.processes.isolation import environment
from tests.harness.project import commit, make_project
from tests.harness.servers.model import ScriptedModel, running_model
from tests.harness.servers.opencode import OpenCode, running_opencode
from tests.harness.waiting import eventually

Json = Any
FOLDER = Path(__file__).parents[1] / "tests" / "snapshots" / "transcripts"


async def record(name: str, folder: Path, model: ScriptedModel, server: OpenCode) -> Json:
    """Run a scenario in its own project below ``folder``, and return OpenCode's data of it."""
    project = folder / name
    project.mkdir()
    make_project(project)
    (project / ".opencode/command").mkdir(parents=True)
    (project / ".opencode/command/tell.md").write_text("Tell me about $ARGUMENTS.\n", encoding="utf-8")
    commit(project)
    async with server.client(project) as http:
        await http.get("/provider")
        created = (await http.post("/session", json={"title": name})).raise_for_status().json()
        desk = Desk(http, model, project, created["id"])
        await SCENARIOS[name](desk)
        return Normaliser({str(project): "/project", str(folder): "/home"})(await collect(desk))


async def collect(desk: Desk) -> Json:
    """Return everything that OpenCode stores of a session."""
    messages = desk.unreadable or await desk.get(f"/session/{desk.session}/message")
    await eventually(lambda: _diffed(desk, messages))
    children = sorted(await desk.get(f"/session/{desk.session}/children"), key=lambda child: child["time"]["created"])
    prompts = [message["info"]["id"] for message in messages if message["info"]["role"] == "user"]
    return {
        "messages": messages,
        "children": {child["id"]: await desk.get(f"/session/{child['id']}/message") for child in children},
        "diffs": [await desk.get(f"/session/{desk.session}/diff", messageID=prompt) for prompt in prompts],
        "working_tree": {
            "git": await desk.get("/vcs/diff", mode="git"),
            "branch": await desk.get("/vcs/diff", mode="branch"),
            "raw": (await desk.http.get("/vcs/diff/raw")).raise_for_status().text,
        },
    }


async def _diffed(desk: Desk, messages: Json) -> bool:
    """Return True if the diff of the last prompt is complete; OpenCode computes it a moment after it is idle."""
    last = messages[-1]
    changed = [file for part in last["parts"] if part["type"] == "patch" for file in part["files"]]
    diffs = await desk.get(f"/session/{desk.session}/diff", messageID=last["info"].get("parentID", ""))
    return {Path(file).relative_to(desk.project).as_posix() for file in changed} <= {item["file"] for item in diffs}


def keep(name: str, recording: Json) -> None:
    """Write a recording."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recording, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(recording['messages'])} messages, {len(text)} characters")


async def record_all(names: Iterable[str], folder: Path, model: ScriptedModel, server: OpenCode) -> None:
    """Record scenarios one after another."""
    for name in names:
        keep(name, await record(name, folder, model, server))


def main(names: Iterable[str]) -> None:
    """Record the scenarios of these names, or all."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with (
            running_model(folder / "model.log") as model,
            running_opencode(environment(folder / "home", model.url), folder / "opencode.log") as server,
        ):
            anyio.run(record_all, list(names) or list(SCENARIOS), folder, model, server)


if __name__ == "__main__":
    main(sys.argv[1:])
