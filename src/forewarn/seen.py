"""The ids of a run, on disk, so that repeated ones are noticed in bounded memory."""

import hashlib
import sqlite3
from pathlib import Path

IDS = ".ids.sqlite"


class SeenIds:
    """The ids of a run, kept on disk so that memory does not grow with the documents.

    :param folder: the output folder.
    :param n_finished: how many shards are finished; ids that a killed run met after them are
        forgotten.
    """

    def __init__(self, folder: Path, n_finished: int) -> None:
        self._database = sqlite3.connect(folder / IDS, isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")  # a crash of the machine is noticed
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY, shard INTEGER) WITHOUT ROWID"
        )
        self._database.execute("DELETE FROM ids WHERE shard >= ?", (n_finished,))
        self._database.execute("BEGIN")
        self.shard = n_finished

    def __contains__(self, id_: object) -> bool:
        found = self._database.execute("SELECT 1 FROM ids WHERE id = ?", (_digest(str(id_)),))
        return found.fetchone() is not None

    def add(self, id_: str) -> None:
        """Take note of an id.

        :param id_: the id of a document of the current shard.
        """
        self._database.execute(
            "INSERT OR IGNORE INTO ids VALUES (?, ?)", (_digest(id_), self.shard)
        )

    def save(self) -> None:
        """Make sure that a killed run finds these ids again."""
        self._database.execute("COMMIT")
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Close the database."""
        self._database.execute("COMMIT")
        self._database.close()


def _digest(id_: str) -> bytes:
    return hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=16).digest()
