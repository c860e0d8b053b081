"""Target of a request that is a whole URL, as clients send it to a proxy, and may send it to any server."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from starlette.types import Scope

WHOLE_URL = re.compile(rb"https?://(?P<authority>[^/]*)(?P<path>.*)", re.IGNORECASE | re.DOTALL)


def read_target(scope: "Scope") -> None:
    """Take the path from a target that is a whole URL; its host counts, and the header ``Host`` does not.

    RFC 9112, 3.2.2 says so.
    """
    url = WHOLE_URL.fullmatch(scope["raw_path"])
    if url is None:
        return
    scope["raw_path"] = url["path"] or b"/"
    scope["path"] = unquote(scope["raw_path"].decode("latin-1"))
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    scope["headers"] = [*others, (b"host", url["authority"])]
