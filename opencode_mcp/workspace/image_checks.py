"""Check of an image by its content: type, size in pixels, and whether models accept it.

Pure. The models of some hosts refuse a whole conversation because of one image that they cannot decode. So an image is
sent only if its header can be parsed, its size is plausible, and its end is present.
"""

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

LONGEST_SIDE_PIXELS = 8000
"""Longest side that models accept, in pixels."""
PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_END = b"\xff\xd9"
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length."""
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers in front of the size."""


class Unreadable(Exception):
    """Error for data that is not a whole image, with the reason."""


class ImageSize(NamedTuple):
    """Size of an image in pixels."""

    width: int
    height: int


def image_type(beginning: bytes) -> str:
    """Return the media type of an image by its first bytes; empty for anything that models do not accept."""
    if beginning.startswith(PNG_START):
        return PNG
    if beginning.startswith(b"\xff\xd8\xff"):
        return JPEG
    if beginning.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    return WEBP if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP" else ""


def image_problem(data: bytes) -> str:
    """Return the reason why models do not accept a file as an image; empty if they do."""
    kind = image_type(data)
    if not kind:
        return "it is not a png, jpeg, gif or webp image"
    try:
        width, height = SIZES[kind](data)
    except Unreadable as error:
        return str(error)
    except (struct.error, IndexError):
        return "its header is incomplete"
    if not width or not height:
        return "its header gives no size"
    if max(width, height) > LONGEST_SIDE_PIXELS:
        return f"it has {width} x {height} pixels, and models accept {LONGEST_SIDE_PIXELS} on a side"
    return ""


def _png(data: bytes) -> ImageSize:
    if data[12:16] != b"IHDR":
        raise Unreadable("its header is incomplete")
    size = ImageSize(*struct.unpack_from(">II", data, 16))
    place = len(PNG_START)
    while data[place + 4 : place + 8] != b"IEND":
        place += 12 + struct.unpack_from(">I", data, place)[0]
        if place + 12 > len(data):
            raise Unreadable("it is incomplete: its end is missing")
    return size


def _jpeg(data: bytes) -> ImageSize:
    place = 2
    while data[place] == 0xFF:  # noqa: PLR2004 - the first byte of every marker
        marker = data[place + 1]
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            if JPEG_END not in data[place:]:
                raise Unreadable("it is incomplete: its end is missing")
            return ImageSize(width, height)
        if marker == 0xFF:  # noqa: PLR2004 - a filler
            place += 1
        elif marker in WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    raise Unreadable("its header cannot be parsed")


def _gif(data: bytes) -> ImageSize:
    if b"\x3b" not in data[-16:]:
        raise Unreadable("it is incomplete: its end is missing")
    return ImageSize(*struct.unpack_from("<HH", data, 6))


def _webp(data: bytes) -> ImageSize:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise Unreadable("it is incomplete: its end is missing")
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return ImageSize(width & 0x3FFF, height & 0x3FFF)
        case b"VP8L":
            bits = struct.unpack_from("<I", data, 21)[0]
            return ImageSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            return ImageSize(width, height)
        case _:
            raise Unreadable("its header cannot be parsed")


SIZES: Mapping[str, Callable[[bytes], ImageSize]] = {PNG: _png, JPEG: _jpeg, GIF: _gif, WEBP: _webp}
