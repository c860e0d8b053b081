"""The kind of a file is decided by its bytes, and its text is read."""

from collections.abc import AsyncIterator, Iterable

import pytest

from opencode_mcp.workspace.file_scan import READ_ON_CHARACTERS, FileScan, encoding_of, scan_file
from opencode_mcp.workspace.files import OpenFile
from opencode_mcp.workspace.image_checks import image_type
from opencode_mcp.workspace.line_window import LineWindow
from tests.harness.each import for_each

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\nrest"


async def seen(*pieces: bytes, first: int = 1, count: int = 100, largest: int = 100, name: str = "") -> FileScan:
    return await looked(pieces, LineWindow(first, count, 1000, 10_000), largest, name)


async def looked(pieces: Iterable[bytes], window: LineWindow, largest: int = 100, name: str = "") -> FileScan:
    async def each() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return await scan_file(OpenFile(None, name, each()), window, largest)


@for_each(
    ("beginning", "encoding"),
    [
        (b"", "utf-8"),
        (b"plain", "utf-8"),
        ("größer".encode(), "utf-8"),
        (b"\xef\xbb\xbfmarked", "utf-8-sig"),
        ("wide".encode("utf-16"), "utf-16"),
        (b"\x00\x01", None),
        (PNG, None),
    ],
)
def test_an_encoding_is_recognised_by_the_first_bytes(beginning: bytes, encoding: str | None) -> None:
    assert encoding_of(beginning) == encoding


@for_each(
    ("beginning", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", ""),
        (b"%PDF-1.7", ""),
    ],
)
def test_an_image_is_recognised_by_its_bytes_and_not_by_its_name(beginning: bytes, kind: str) -> None:
    assert image_type(beginning) == kind


async def test_a_character_that_two_pieces_share_is_read_whole() -> None:
    window = LineWindow(1, 10, 1000, 10_000)
    euro = "€".encode()
    scan = await looked([b"a" + euro[:1], euro[1:] + b"\n"], window)
    assert window.lines == ["a€"]
    assert not scan.spoiled


async def test_bytes_of_no_known_encoding_are_reported() -> None:
    scan = await seen(b"caf\xe9\n")
    assert scan.is_text
    assert scan.spoiled
    assert scan.lines == 1


async def test_a_text_in_utf_16_is_read() -> None:
    window = LineWindow(1, 10, 1000, 10_000)
    await looked(["hällo\nwörld\n".encode("utf-16")], window)
    assert window.lines == ["hällo", "wörld"]


async def test_an_empty_file_is_a_text_of_no_lines() -> None:
    scan = await seen()
    assert scan.is_text
    assert scan.lines == 0


async def test_data_is_given_whole_when_it_is_small_and_not_at_all_when_it_is_large() -> None:
    small = await seen(PNG, b"more", name="image/x-other")
    assert (small.media_type, small.whole, small.data) == ("image/png", True, PNG + b"more")
    large = await seen(b"\x00" * 60, b"\x00" * 60, name="application/x-thing")
    assert (large.media_type, large.whole, large.data) == ("application/x-thing", False, b"")


async def test_reading_ends_some_way_after_the_wanted_lines() -> None:
    taken = 0

    def endless() -> Iterable[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"line\n" * 100_000

    window = LineWindow(1, 3, 1000, 10_000)
    scan = await looked(endless(), window)
    assert window.lines == ["line"] * 3
    assert scan.lines is None
    assert not scan.whole
    assert taken * 500_000 <= READ_ON_CHARACTERS + 2_000_000
