"""The kept recordings are what OpenCode says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.record_transcripts import record
from tests.harness.processes.isolation import environment
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, running_opencode
from tests.runs.recordings import FOLDER

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel) -> Iterator[OpenCode]:
    """An OpenCode with its usual settings, snapshots too."""
    folder = tmp_path_factory.mktemp("recorder")
    with running_opencode(environment(folder, scripted_model.url), folder / "opencode.log") as server:
        yield server


@pytest.mark.parametrize("name", ["edits", "subagents"])
async def test_a_session_recorded_again_is_the_same(
    name: str, tmp_path: Path, scripted_model: ScriptedModel, server: OpenCode
) -> None:
    recorded = await record(name, tmp_path, scripted_model, server)
    assert recorded == json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
