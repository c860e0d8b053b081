"""Addresses to listen at, and the names by which clients may reach the bridge."""

import socket
import stat
import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.address import Address
from opencode_mcp.http.authentication.without_authentication import check_authentication
from opencode_mcp.settings import Settings
from tests.harness.each import for_each


@for_each(
    ("text", "is_local"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/run/socket", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.1.2:1", False),
        ("example.com:1", False),
        ("127.0.0.1.example.com:1", False),
    ],
)
def test_only_addresses_of_this_machine_work_without_authentication(text: str, is_local: bool) -> None:  # noqa: FBT001
    address = Address.read(text)
    assert address.is_local is is_local
    with pytest.raises(InvalidSetting):
        check_authentication(Settings(), address)
    if is_local:
        check_authentication(Settings(insecure_no_auth=True), address)
    else:
        with pytest.raises(InvalidSetting):
            check_authentication(Settings(insecure_no_auth=True), address)


def test_an_address_in_use_is_refused() -> None:
    with Address.read("127.0.0.1:0").bind() as listener:
        taken = Address.read("127.0.0.1:0").bound(listener)
        with pytest.raises(InvalidSetting, match=f"Cannot listen at http://127.0.0.1:{taken.port}"):
            taken.bind()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_a_unix_socket_is_for_its_user_alone_and_replaces_one_that_was_left(tmp_path: Path) -> None:
    address = Address(path=tmp_path / "socket")
    address.bind().close()
    with address.bind():
        assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
        with pytest.raises(InvalidSetting):
            address.bind()
    address.release()
    assert not (tmp_path / "socket").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_a_file_is_not_replaced_by_a_unix_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(InvalidSetting, match=f"{name} exists and is no socket"):
            Address(path=tmp_path / name).bind()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_connections_do_not_wait_for_acknowledgements() -> None:
    with Address("127.0.0.1").bind() as listener:
        assert listener.proto == socket.IPPROTO_TCP
        with socket.create_connection(listener.getsockname(), timeout=20):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_path_at_a_unix_socket_is_shown_apart() -> None:
    assert Address.read("unix:/run/b.sock").with_path("/mcp") == "unix:/run/b.sock, path /mcp"
    assert Address.read("[::1]:1").with_path("/mcp") == "http://[::1]:1/mcp"


@for_each(
    ("text", "url"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("[::1]:1", "http://[::1]:1"),
        ("0.0.0.0:1", "http://127.0.0.1:1"),
        ("[::]:1", "http://[::1]:1"),
        ("bridge.example:1", "http://bridge.example:1"),
        ("unix:/run/socket", "http://localhost"),
    ],
)
def test_a_program_on_this_machine_reaches_an_address_at_a_url(text: str, url: str) -> None:
    assert Address.read(text).reached_at == url
