"""Files of a project, changes of them, and matches of searches in them."""

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire


class FileDiff(Wire):
    """Change of one file."""

    file: str = ""
    patch: str = ""
    additions: int = 0
    deletions: int = 0
    status: str = "modified"


class FileNode(Wire):
    """Entry of ``file.list``."""

    name: str
    path: str
    type: str
    ignored: bool = False


class TextField(Wire):
    """Wrapper of a text in ``find.text``."""

    text: str = ""


class TextMatch(Wire):
    """Match of ``find.text``."""

    path: TextField
    lines: TextField
    line_number: int


class SymbolPlace(Wire):
    """Location of a symbol."""

    uri: str = ""
    range: dict[str, dict[str, int]] = Field(default_factory=dict[str, dict[str, int]])


class SymbolMatch(Wire):
    """Match of ``find.symbols``."""

    name: str
    kind: int = 0
    location: SymbolPlace = SymbolPlace()
