"""The kept recordings are what OpenCode says."""

import json
from pathlib import Path

import pytest

from scripts.record_transcripts import record
from tests.harness.model import ScriptedModel
from tests.harness.opencode import OpenCode
from tests.runs.recordings import FOLDER

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.mark.parametrize("name", ["edits", "subagents"])
async def test_a_session_recorded_again_is_the_same(
    name: str, tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> None:
    recorded = await record(name, tmp_path, scripted_model, opencode_server)
    assert recorded == json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
