"""Write rows into a database: SQLite or DuckDB."""

from pathlib import Path
from typing import Any

from forewarn.rows import CSV_COLUMNS, INTEGER, REAL, arrow_schema, cell, encodable, for_arrow

BATCH_ROWS = 256


class SqliteWriter:
    """A table ``documents`` or ``spans``; what is nested is JSON.

    :param path: the file.
    :param columns: the columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        import sqlite3

        path.open("wb").close()
        self._database = sqlite3.connect(path)
        typed = ", ".join(f'"{name}" {_sqlite_type(name)}' for name in columns)
        table = table_of(columns)
        self._database.execute(f"CREATE TABLE {table} ({typed})")
        self._insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
        self._columns = columns

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        cells = [encodable(cell(name, record.get(name))) for name in self._columns]
        self._database.execute(self._insert, cells)

    def close(self) -> None:
        """Close the database."""
        self._database.commit()
        self._database.close()


class DuckdbWriter:
    """A table ``documents`` or ``spans``; the spans of a document are a list of structs.

    :param path: the file.
    :param columns: the columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        import duckdb

        path.open("wb").close()  # says why the folder cannot be written to
        path.unlink()
        self._database = duckdb.connect(str(path))
        self._rows: list[dict[str, Any]] = []
        self._schema, self._table = arrow_schema(columns), table_of(columns)
        self._database.register("rows", self._schema.empty_table())
        self._database.execute(f"CREATE TABLE {self._table} AS SELECT * FROM rows")

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        self._rows.append(for_arrow(record))
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and close the database."""
        self._flush()
        self._database.close()

    def _flush(self) -> None:
        import pyarrow

        table = pyarrow.Table.from_pylist(self._rows, schema=self._schema)
        self._database.register("rows", table)
        self._database.execute(f"INSERT INTO {self._table} SELECT * FROM rows")
        self._rows = []


def table_of(columns: tuple[str, ...]) -> str:
    """Name the table of a database.

    :param columns: its columns.
    :return: ``documents`` or ``spans``.
    """
    return "documents" if "spans" in columns else "spans"


def _sqlite_type(name: str) -> str:
    return "REAL" if name in REAL else "INTEGER" if name in INTEGER else "TEXT"
