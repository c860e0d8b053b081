"""Whatever a file system says of a path becomes an error that names the path and the real cause."""

import errno
import os

import pytest

from opencode_mcp.disk.path_errors import check_path_text, path_error, path_errors
from opencode_mcp.errors import BackendFailed, BridgeError, InvalidArgument, NotAllowed, NotFound
from tests.harness.each import for_each


@for_each("number", sorted(errno.errorcode))
def test_every_failure_of_the_system_becomes_an_error_that_names_the_path_and_the_cause(number: int) -> None:
    with pytest.raises(BridgeError) as raised, path_errors("some/path.txt"):
        raise OSError(number, os.strerror(number))
    assert "'some/path.txt'" in raised.value.message
    assert os.strerror(number) in raised.value.message or "does not exist" in raised.value.message


@for_each(
    ("number", "kind"),
    [
        (errno.ENOENT, NotFound),
        (errno.ENOTDIR, NotFound),
        (errno.ELOOP, NotFound),
        (errno.EACCES, NotAllowed),
        (errno.EPERM, NotAllowed),
        (errno.ENAMETOOLONG, InvalidArgument),
        (errno.EIO, BackendFailed),
        (errno.EMFILE, BackendFailed),
    ],
)
def test_a_failure_is_of_the_kind_that_says_who_must_act(number: int, kind: type[BridgeError]) -> None:
    assert type(path_error(OSError(number, os.strerror(number)), "x")) is kind


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000])
def test_what_the_system_refuses_before_it_looks_is_an_invalid_argument(name: str) -> None:
    with pytest.raises(InvalidArgument), path_errors(name):
        os.stat(name)  # noqa: PTH116 - the call that fails


def test_a_failure_without_a_number_is_reported_too() -> None:
    assert "TimeoutError" in path_error(TimeoutError(), "x").message


@for_each(
    ("name", "said"),
    [
        ("a\0b", "holds a NUL character"),
        ("a/\udce9", "holds half of a surrogate pair"),
        ("\ud83d", "holds half of a surrogate pair"),
        ("x/" + "n" * 256, "has a part of 256 bytes"),
        ("é" * 128, "has a part of 256 bytes"),
        ("d/" * 2049, "is too long: 4,098 bytes"),
        ("n" * 1_000_000, "is too long: 1,000,000 bytes"),
    ],
)
def test_a_path_that_no_file_system_takes_is_refused_in_a_short_line(name: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_path_text(name, "The path")
    assert said in refused.value.message
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("name", ["n" * 255, "d/" * 2048, "é" * 127, "a b#c?%\n.txt"])
def test_a_path_that_a_file_system_takes_passes(name: str) -> None:
    check_path_text(name, "The path")
