"""Write a table for people: .csv, .xlsx and .parquet, in which no cell can act as a formula."""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a cell may start a formula in a spreadsheet."""

CELL_CHARS = 32_767
SHEET_ROWS = 1_048_576
CUT = " […cut]"

Row = dict[str, Any]

_WIDTHS = {"text": 50, "sentence": 70, "document": 24, "documents": 24, "sources": 24}


class TableError(ValueError):
    """A table cannot be written."""


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Write a table; the file appears whole, at the end, or not at all.

    In .csv a cell that may start a formula gets an apostrophe before it; in .xlsx it is marked as
    text, unchanged. Parquet holds values as they are.

    :param path: a path that ends in one of ``KINDS``.
    :param columns: the columns.
    :param rows: the rows.
    :return: how many cells had to be cut, since .xlsx holds no longer ones.
    :raises TableError: if the suffix is unknown, the file cannot be written or a sheet cannot hold
        as many rows.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise TableError(f"{path}: unknown kind of table; use one of {', '.join(KINDS)}")
    if path.is_dir():
        raise TableError(f"{path}: is a folder; give the name of a file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.open("wb").close()
        n_cut = write(partial, columns, [_encodable(row) for row in rows])
        partial.replace(path)
    except OSError as error:
        raise TableError(
            f"{path}: cannot be written ({error.strerror or error}); choose a folder that exists "
            "and that you may write to"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return n_cut


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_harmless(row[name]) for name in columns] for row in rows)
    return 0


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def _write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> int:
    from xlsxwriter import Workbook

    if len(rows) >= SHEET_ROWS:
        raise TableError(
            f"{len(rows)} rows: a sheet holds {SHEET_ROWS - 1}; write .csv or .parquet"
        )
    n_cut = 0
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(str(path), {**options, "constant_memory": True}) as book:
        sheet = book.add_worksheet("statements")
        formats = {
            quoted: book.add_format({"quote_prefix": quoted, "valign": "top", "text_wrap": True})
            for quoted in (False, True)
        }
        for n, name in enumerate(columns):
            sheet.set_column(n, n, _WIDTHS.get(name, 14))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.write_row(0, 0, columns, book.add_format({"bold": True, "bottom": 1}))
        for n, row in enumerate(rows, 1):
            for column, name in enumerate(columns):
                value = row[name]
                if isinstance(value, str):
                    n_cut += len(value) > CELL_CHARS
                    quoted = value.startswith(DANGEROUS)
                    sheet.write_string(n, column, _cut(value), formats[quoted])
                elif value is not None:
                    sheet.write_number(n, column, value, formats[False])
    return n_cut


def _cut(value: str) -> str:
    return value if len(value) <= CELL_CHARS else value[: CELL_CHARS - len(CUT)] + CUT


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    integers = ("statement", "start_char", "end_char")
    types = {
        name: pa.int64()
        if name in integers or name.startswith("n_")
        else pa.float64()
        if name == "score"
        else pa.string()
        for name in columns
    }
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(types.items())), path)
    return 0


def _encodable(row: Row) -> Row:
    """Write out lone surrogates, which no file holds."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }


_WRITERS: dict[str, Callable[[Path, Sequence[str], Sequence[Row]], int]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".parquet": _write_parquet,
}

KINDS = tuple(_WRITERS)
"""The kinds of table, by suffix."""
