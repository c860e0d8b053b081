"""A session's turn is held between bridges, and neither a dead bridge nor a bad folder blocks it."""

from pathlib import Path

import pytest

from opencode_mcp.errors import SessionBusy
from opencode_mcp.runs.prompting import session_lock as turns
from opencode_mcp.runs.prompting.session_lock import Turns

pytestmark = pytest.mark.anyio


def lock_in(folder: Path) -> Path:
    (path,) = folder.glob("*.lock")
    return path


async def test_a_turn_keeps_another_bridge_out_of_the_session_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.2)
    one, other = Turns(tmp_path), Turns(tmp_path)
    async with one.turn("ses_1"):
        with pytest.raises(SessionBusy, match="Another bridge"):
            async with other.turn("ses_1"):
                pass
        async with other.turn("ses_2"):
            pass
    async with other.turn("ses_1"):
        pass


async def test_a_lock_file_that_a_dead_bridge_left_blocks_nobody(tmp_path: Path) -> None:
    async with Turns(tmp_path).turn("ses_1"):
        left = lock_in(tmp_path)
    left.write_text("left behind", encoding="utf-8")
    async with Turns(tmp_path).turn("ses_1"):
        pass


async def test_a_folder_that_cannot_be_made_blocks_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    async with Turns(tmp_path / "file" / "turns").turn("ses_1"):
        pass
