"""File of the queue: an SQLite database in the state folder, for its owner alone.

Every change is one transaction, and the bridges of a user take turns. The file holds prompts, so what is deleted is
overwritten, and no write-ahead log keeps a copy.
"""

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from opencode_mcp.batch_queue.queue_file import queue_file
from opencode_mcp.disk.private_modes import PRIVATE_FILE, PRIVATE_FOLDER
from opencode_mcp.disk.state_folder import prepare_folder, unusable
from opencode_mcp.errors import InvalidSetting

LOCK_SECONDS = 20.0
"""Seconds to wait for the transactions of other bridges, which take milliseconds."""
SETTINGS = ("PRAGMA secure_delete = ON", "PRAGMA journal_mode = DELETE", "PRAGMA foreign_keys = ON")
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS batch (
        id TEXT PRIMARY KEY,
        scope TEXT NOT NULL,
        starter TEXT NOT NULL,
        created REAL NOT NULL,
        parallel INTEGER NOT NULL,
        max_cost REAL,
        reported REAL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS task (
        batch TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        status TEXT NOT NULL DEFAULT 'queued',
        arguments TEXT NOT NULL,
        words TEXT NOT NULL,
        session_id TEXT NOT NULL DEFAULT '',
        message_id TEXT NOT NULL DEFAULT '',
        owner TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        stop INTEGER NOT NULL DEFAULT 0,
        not_before REAL NOT NULL DEFAULT 0,
        ended REAL,
        note TEXT NOT NULL DEFAULT '',
        files INTEGER NOT NULL DEFAULT 0,
        added INTEGER NOT NULL DEFAULT 0,
        removed INTEGER NOT NULL DEFAULT 0,
        names TEXT NOT NULL DEFAULT '',
        cost REAL NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,
        verified TEXT NOT NULL DEFAULT '',
        answer TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (batch, number)
    )
    """,
)


LATER_COLUMNS = dict.fromkeys(("names", "answer"), "TEXT NOT NULL DEFAULT ''")
"""Columns of tasks that files of earlier versions lack, with their definitions."""


class Store:
    """The database. Its functions wait, so they are called in threads.

    Args:
        state_directory: State folder; the database is below it.
    """

    def __init__(self, state_directory: Path) -> None:
        self._state = state_directory
        self._path = queue_file(state_directory)
        self.folder = self._path.parent
        """Folder of the database and of the bridges' leases."""
        self._turn = threading.Lock()
        self._is_ready = False

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Yield the database, which no other bridge uses meanwhile; an error in the block undoes its changes.

        Raises:
            InvalidSetting: The file cannot be used.
        """
        with self._turn:
            self._prepare()
            with self._reported_errors(), closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    self._prepare_tables_once(connection)
                    yield connection
                self._is_ready = True

    def _prepare_tables_once(self, connection: sqlite3.Connection) -> None:
        if not self._is_ready:
            _prepare_tables(connection)

    @contextmanager
    def _reported_errors(self) -> Generator[None]:
        """Convert the errors of the file and of SQLite into ours."""
        try:
            yield
        except OSError as error:
            raise unusable(self._path, error) from error
        except sqlite3.Error as error:
            raise InvalidSetting(
                f"The queue of tasks cannot be used: {self._path}: {error}.",
                hint="Leave some space on its disk. If the file is damaged, remove it; its tasks are then lost.",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        for setting in SETTINGS:
            connection.execute(setting)
        return connection

    def _prepare(self) -> None:
        """Create the folder and the file, readable for their owner alone."""
        try:
            if self._path.exists():
                return
            prepare_folder(self._state)
            self.folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            # SQLite gives its journal the mode of the database.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE))
        except OSError as error:
            raise unusable(self._path, error) from error
        self._is_ready = False


def _prepare_tables(connection: sqlite3.Connection) -> None:
    """Create the tables, and add the columns that a file of an earlier version lacks."""
    for table in TABLES:
        connection.execute(table)
    present = {row["name"] for row in connection.execute("PRAGMA table_info(task)")}
    for name, definition in LATER_COLUMNS.items():
        if name not in present:
            connection.execute(f"ALTER TABLE task ADD COLUMN {name} {definition}")
