"""The rows that are written: their columns, their Arrow schema, what is nested as JSON."""

from typing import Any

from forewarn.flat import COLUMNS as FLAT_COLUMNS
from forewarn.jsonl import dumps

CSV_COLUMNS = ("id", "mention", "use", "model", "taxonomy", "error", "spans")
META = "meta"
REAL = ("mention", "use", "score")
INTEGER = ("start_char", "end_char")
NESTED = ("spans", META)


def columns_of(*, flat: bool = False, meta: bool = False) -> tuple[str, ...]:
    """Give the columns of a table.

    :param flat: one row a span, not one a document.
    :param meta: with what was carried through from the input.
    :return: their names, in order.
    """
    return (*(FLAT_COLUMNS if flat else CSV_COLUMNS), *((META,) if meta else ()))


def arrow_schema(columns: tuple[str, ...] = CSV_COLUMNS) -> Any:
    """Give the Arrow schema of rows.

    :param columns: their columns.
    :return: a ``pyarrow.Schema``.
    """
    import pyarrow as pa

    place = [("start_char", pa.int64()), ("end_char", pa.int64()), ("text", pa.string())]
    span = pa.struct(
        [
            *place,
            ("label", pa.string()),
            ("form", pa.string()),
            ("score", pa.float64()),
            ("voice", pa.string()),
            ("voice_score", pa.float64()),
            ("speaker", pa.struct(place)),
            ("target", pa.struct(place)),
            ("responds_to", pa.int64()),
        ]
    )
    types = {"spans": pa.list_(span)}
    types |= dict.fromkeys(REAL, pa.float64()) | dict.fromkeys(INTEGER, pa.int64())
    return pa.schema([(name, types.get(name, pa.string())) for name in columns])


def for_arrow(record: dict[str, Any]) -> dict[str, Any]:
    """Make a row fit for Arrow: what is carried through as JSON, lone surrogates written out.

    :param record: the row.
    :return: the row.
    """
    if record.get(META) is not None and not isinstance(record[META], str):
        record = {**record, META: dumps(record[META])}
    encoded: dict[str, Any] = encodable(record)
    return encoded


def encodable(value: Any) -> Any:
    """Write lone surrogates out, which UTF-8 cannot hold.

    :param value: a plain value, nested or not.
    :return: the value.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encodable(item) for item in value]
    return value


def cell(name: str, value: Any) -> Any:
    """Give a value as a table without nesting holds it.

    :param name: its column.
    :param value: the value.
    :return: JSON if it is nested.
    """
    return dumps(value) if name in NESTED and value is not None else value
