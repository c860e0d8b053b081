"""Files and folders as OpenCode attaches them to a prompt; unsuitable ones are refused before a run starts.

The decision depends on the content alone, never on the name. OpenCode fails in the middle of a run, without the file's
name, at an image that it cannot decode, and silently drops other data. Images and PDFs are sent as they were read here,
so the model sees what was checked. A text or a folder is sent as an address, which OpenCode reads itself.
"""

import base64
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.opencode.vocabulary.submission import Attachment
from opencode_mcp.workspace.file_scan import encoding_of
from opencode_mcp.workspace.image_checks import image_problem, image_type

if TYPE_CHECKING:
    from opencode_mcp.workspace.files import OpenFile, ProjectFiles

FOLDER = "application/x-directory"
TEXT = "text/plain"
PDF = "application/pdf"
PDF_START = b"%PDF-"
LARGEST_IMAGE_BYTES = 3_750_000
"""Largest image that models accept, in bytes: 5 MB in Base64."""
LARGEST_PDF_BYTES = 10_000_000
TAKEN = "OpenCode attaches folders, UTF-8 text, png, jpeg, gif and webp images, and PDF documents."
KINDS: Sequence[tuple[int, bytes, str]] = (
    (0, b"PK\x03\x04", "a zip archive, as docx, xlsx and jar files are"),
    (0, b"BM", "a BMP image"),
    (0, b"\x00\x00\x01\x00", "an ICO image"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"\x1f\x8b", "a gzip archive"),
)
"""Types that are often attached and not supported: offset of the mark, the mark, and the type's name."""


async def attachment(files: "ProjectFiles", directory: str, path: str) -> Attachment:
    """Read as much of a file as is needed to attach it.

    Args:
        files: Opens the file.
        directory: Absolute path of the project.
        path: Absolute path of a file or folder in it, checked.

    Raises:
        InvalidArgument: OpenCode or the models do not support it; the text names the file and the reason.
        NotFound: The path does not exist.
        NotAllowed: The file system refuses access.
    """
    whole = _pure(path)
    relative = whole.relative_to(_pure(directory)).as_posix()
    try:
        async with files.open(directory, relative) as file:
            return await _of_file(file, whole, relative)
    except NotFound:
        await files.names(directory, relative)
    return Attachment(FOLDER, _file_url(whole), whole.name)


async def _of_file(file: "OpenFile", whole: PurePath, shown: str) -> Attachment:
    beginning = await anext(file.pieces, b"")
    if kind := image_type(beginning):
        data = await _rest(file, beginning, LARGEST_IMAGE_BYTES, shown)
        if problem := image_problem(data):
            raise InvalidArgument(f"{shown!r} cannot be attached as an image: {problem}.", hint=TAKEN)
        return Attachment(kind, _data_url(kind, data), whole.name)
    if beginning.startswith(PDF_START):
        data = await _rest(file, beginning, LARGEST_PDF_BYTES, shown)
        return Attachment(PDF, _data_url(PDF, data), whole.name)
    encoding = encoding_of(beginning)
    if encoding and encoding.startswith("utf-8"):
        return Attachment(TEXT, _file_url(whole), whole.name)
    what = "text in UTF-16" if encoding else _kind(beginning)
    raise InvalidArgument(
        f"{shown!r} cannot be attached: it is {what}.",
        hint=f"{TAKEN} Convert it, or name its path in the prompt: OpenCode's agent can read it with its own tools.",
    )


async def _rest(file: "OpenFile", beginning: bytes, largest: int, shown: str) -> bytes:
    data = bytearray(beginning)
    while len(data) <= largest and (piece := await anext(file.pieces, b"")):
        data += piece
    if len(data) > largest:
        raise InvalidArgument(f"{shown!r} cannot be attached: it is larger than {largest:,} bytes.", hint=TAKEN)
    return bytes(data)


def _kind(beginning: bytes) -> str:
    found = (name for place, mark, name in KINDS if beginning[place:].startswith(mark))
    return next(found, "neither text nor an image nor a PDF document")


def _file_url(path: PurePath) -> str:
    text = quote(path.as_posix())
    return f"file://{text}" if text.startswith("/") else f"file:///{text.replace('%3A', ':', 1)}"


def _data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def _pure(path: str) -> PurePath:
    return PureWindowsPath(path) if PureWindowsPath(path).drive else PurePosixPath(path)
