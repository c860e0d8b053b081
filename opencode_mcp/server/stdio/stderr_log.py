"""Log on stderr that never blocks the bridge: if nobody reads it, lines are dropped and counted.

A pipe holds some 64 KB. If a host starts the bridge with a pipe for stderr and never reads it, the first line that does
not fit would block everything.
"""

import logging
import os
import sys

from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS
from opencode_mcp.server.stdio.descriptors import ROOM, can_wait, has_room
from opencode_mcp.text.outside_text import clean

MOST_CHARACTERS = 8 * 1024
"""Limit of a record, in characters; the middle of a longer one is left out."""
CONTINUED = "\n    | "
"""Beginning of a further line of a record: text that it quotes must look like no record, and like no line of JSON."""
FORMAT = "%(levelname)s %(name)s: %(message)s"
JSON_LINES = "opencode_mcp.requests"
"""Logger whose messages are lines of JSON, and are written as they are."""


class LineFormatter(logging.Formatter):
    """Formats a record as a line, except one that is a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        return record.getMessage() if record.name == JSON_LINES else super().format(record)


class StderrLog(logging.Handler):
    """Writes records as lines, without secrets, and drops those that would block.

    Args:
        descriptor: Descriptor that is open for writing. It stays open.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.setFormatter(LineFormatter(FORMAT))
        self._descriptor = descriptor
        # Windows cannot find out if a pipe has room.
        self._may_block = sys.platform != "win32" and can_wait(descriptor)
        self._waiting = b""
        """Rest of the record that is being written."""
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it as dropped if the one before is not written yet."""
        try:
            self.flush()
            if self._waiting:
                self._dropped += 1
                return
            self._waiting = self._note() + self._encoded(record)
            self.flush()
        except (OSError, ValueError, TypeError):
            # A log that cannot be written, or a record that cannot be formatted, must not end the bridge.
            self._waiting = b""

    def flush(self) -> None:
        """Write the rest of a record, as far as there is room."""
        while self._waiting and self._has_room():
            written = os.write(self._descriptor, self._waiting[:ROOM])
            self._waiting = self._waiting[written:]

    def _has_room(self) -> bool:
        return not self._may_block or has_room(self._descriptor)

    def _note(self) -> bytes:
        """Return a line with the number of dropped records, once."""
        dropped, self._dropped = self._dropped, 0
        return f"WARNING {__name__}: {dropped} records were dropped: nobody read stderr\n".encode() if dropped else b""

    def _encoded(self, record: logging.LogRecord) -> bytes:
        text = redact_text.redacted_text(KNOWN_SECRETS.redact(clean(self.format(record))))
        if len(text) > MOST_CHARACTERS:
            text = f"{text[: MOST_CHARACTERS // 2]} … {text[-MOST_CHARACTERS // 2 :]}"
        return text.replace("\n", CONTINUED).encode(errors="replace") + b"\n"
