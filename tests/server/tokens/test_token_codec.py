"""An encrypted token can be read only with the key of its state folder, and only if it is unchanged."""

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.server.request_state import InvalidRequestState

from opencode_mcp.disk.state_folder import KEY_BYTES, KEY_FILE
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.server.tokens.token_codec import TokenCodec, key_in, secret_key

# The key may be the same for every example.
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_what_one_bridge_sealed_the_next_one_opens(tmp_path: Path) -> None:
    token = TokenCodec(tmp_path / "state").seal(b"payload")
    assert TokenCodec(tmp_path / "state").unseal(token) == b"payload"


def test_another_state_directory_opens_nothing(tmp_path: Path) -> None:
    token = TokenCodec(tmp_path / "one").seal(b"payload")
    with pytest.raises(InvalidRequestState):
        TokenCodec(tmp_path / "two").unseal(token)


@SHARED_FOLDER
@given(place=st.integers(min_value=0, max_value=10_000), other=st.characters(codec="ascii"))
def test_a_token_that_was_changed_does_not_open(tmp_path: Path, place: int, other: str) -> None:
    seal = TokenCodec(tmp_path)
    token = seal.seal(b"payload")
    index = place % len(token)
    changed = token[:index] + other + token[index + 1 :]
    if changed == token:
        assert seal.unseal(changed) == b"payload"
        return
    with pytest.raises(InvalidRequestState):
        seal.unseal(changed)


@SHARED_FOLDER
@given(token=st.text())
def test_what_was_never_sealed_does_not_open(tmp_path: Path, token: str) -> None:
    with pytest.raises(InvalidRequestState):
        TokenCodec(tmp_path).unseal(token)


def test_the_content_cannot_be_read_in_the_token(tmp_path: Path) -> None:
    seal = TokenCodec(tmp_path)
    assert "payload" not in seal.seal(b"payload")
    assert seal.seal(b"payload") != seal.seal(b"payload")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a user's folder from others by itself")
def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    secret_key(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state" / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_bridges_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(secret_key, [tmp_path / "state"] * 64))
    assert len(keys) == 1
    assert len(keys.pop()) == KEY_BYTES


def test_half_a_key_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"half")
    assert len(secret_key(tmp_path)) == KEY_BYTES
    assert secret_key(tmp_path) == (tmp_path / KEY_FILE).read_bytes()


def test_a_state_directory_that_cannot_be_used_costs_only_what_outlives_the_bridge(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    seal = TokenCodec(tmp_path / "file" / "state")
    assert seal.unseal(seal.seal(b"payload")) == b"payload"
    assert "Tasks and forms become invalid when this bridge ends" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a user's folder from others by itself")
def test_a_key_that_others_could_have_written_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    planted = b"p" * KEY_BYTES
    (tmp_path / KEY_FILE).write_bytes(planted)
    (tmp_path / KEY_FILE).chmod(0o666)
    assert secret_key(tmp_path) != planted
    assert f"{KEY_FILE} can be changed by other users" in caplog.text


def key_file_in(folder: Path, key: str = "k" * 32) -> str:
    path = folder / "key"
    path.write_text(f"{key}\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_bridges_with_one_key_file_read_each_others_tokens(tmp_path: Path) -> None:
    key_file = key_file_in(tmp_path)
    token = TokenCodec(tmp_path / "one", "laptop", key_file).seal(b"payload")
    assert TokenCodec(tmp_path / "two", "laptop", key_file).unseal(token) == b"payload"
    assert TokenCodec(tmp_path / "two", "laptop").unseal_or_none(token) is None


def test_a_token_of_one_principal_is_none_of_another(tmp_path: Path) -> None:
    token = TokenCodec(tmp_path, "laptop").seal(b"payload")
    assert TokenCodec(tmp_path, "laptop").unseal(token) == b"payload"
    assert [TokenCodec(tmp_path, owner).unseal_or_none(token) for owner in ("", "other", "laptop2")] == [None] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_key_file_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    key_file = Path(key_file_in(tmp_path))
    key_file.chmod(0o640)
    with pytest.raises(InvalidSetting, match="Other users can use the key file"):
        key_in(str(key_file))
    with pytest.raises(InvalidSetting, match="fewer than 32 bytes"):
        key_in(key_file_in(tmp_path, "short"))
    os.mkfifo(tmp_path / "pipe")
    # To follow the advice, and change the modes of these, would break the machine.
    for path in (str(tmp_path / "pipe"), str(tmp_path), os.devnull):
        with pytest.raises(InvalidSetting, match="is no regular file"):
            key_in(path)
    tmp_path.chmod(0o777)
    with pytest.raises(InvalidSetting, match="Other users can replace the key file"):
        key_in(key_file_in(tmp_path))
    with pytest.raises(InvalidSetting, match="cannot be read"):
        key_in(str(tmp_path / "none"))
