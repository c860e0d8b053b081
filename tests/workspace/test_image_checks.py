"""An image goes out only where models take it: its header can be read, its size is sane, its end is there."""

import struct
import zlib

import pytest

from opencode_mcp.workspace.image_checks import LONGEST_SIDE_PIXELS, image_problem, image_type


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04ab" + frame + b"\xff\xda\x00\x02data\xff\xd9"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + sides
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


MAKERS = {"image/png": png, "image/jpeg": jpeg, "image/gif": gif, "image/webp": webp}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_whole_image_of_sane_size_is_taken_and_others_are_not(kind: str) -> None:
    make = MAKERS[kind]
    assert image_type(make(10, 20)) == kind
    assert image_problem(make(10, 20)) == ""
    assert image_problem(make(LONGEST_SIDE_PIXELS, 1)) == ""
    assert f"{LONGEST_SIDE_PIXELS + 1} x 1 pixels" in image_problem(make(LONGEST_SIDE_PIXELS + 1, 1))


@pytest.mark.parametrize("kind", MAKERS)
def test_a_cut_image_is_reported_wherever_the_cut_is(kind: str) -> None:
    whole = MAKERS[kind](10, 20)
    assert all(image_problem(whole[:length]) for length in range(len(whole) - 1))


@pytest.mark.parametrize("data", [b"", b"BM" + bytes(60), b"\0\0\0\x18ftypheic", b"\xff\xd8\xff" * 1000, b"<svg/>"])
def test_what_is_no_such_image_has_a_problem(data: bytes) -> None:
    assert image_problem(data)
