"""A session's turn is held between bridges, and neither a dead bridge nor a bad folder blocks it."""

from pathlib import Path

import pytest

from opencode_mcp.errors import SessionBusy
from opencode_mcp.runs.starting import session_lock
from opencode_mcp.runs.starting.session_lock import SessionLocks

pytestmark = pytest.mark.anyio


def lock_in(folder: Path) -> Path:
    (path,) = folder.glob("*.lock")
    return path


async def test_a_held_session_keeps_another_bridge_out_of_that_session_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_lock, "LOCK_SECONDS", 0.2)
    one, other = SessionLocks(tmp_path), SessionLocks(tmp_path)
    async with one.hold("ses_1"):
        with pytest.raises(SessionBusy, match="Another opencode-mcp"):
            async with other.hold("ses_1"):
                pass
        async with other.hold("ses_2"):
            pass
    async with other.hold("ses_1"):
        pass


async def test_a_lock_file_that_a_dead_bridge_left_blocks_nobody(tmp_path: Path) -> None:
    async with SessionLocks(tmp_path).hold("ses_1"):
        left = lock_in(tmp_path)
    left.write_text("left behind", encoding="utf-8")
    async with SessionLocks(tmp_path).hold("ses_1"):
        pass


async def test_a_folder_that_cannot_be_made_blocks_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    async with SessionLocks(tmp_path / "file" / "turns").hold("ses_1"):
        pass
