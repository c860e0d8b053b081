"""Settings of serving HTTP that are refused before anybody can connect."""

from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.serve_http import serve_http
from opencode_mcp.settings import Settings


@pytest.mark.parametrize(
    ("key", "mode", "reason"),
    [(None, 0o600, "cannot be read"), ("", 0o600, "has fewer"), ("k" * 32, 0o644, "Other users can use")],
)
def test_a_key_file_that_cannot_be_used_is_refused(tmp_path: Path, key: str | None, mode: int, reason: str) -> None:
    path = tmp_path / "key"
    if key is not None:
        path.write_text(key, encoding="utf-8")
        path.chmod(mode)
    settings = Settings(http="127.0.0.1:0", principals={"laptop": {}}, key_file=str(path))
    with pytest.raises(InvalidSetting, match=reason):
        serve_http(settings, pytest.fail)
