"""Read back what ``forewarn score`` wrote, records or flat rows, and find the texts again."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forewarn.records import Document
from forewarn.sources import BrokenDocument, open_file

KINDS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
REMEDY = "give what 'forewarn score' wrote"

_OPTIONAL = ("form", "voice", "voice_score", "speaker", "target", "responds_to")


def read_predictions(path: Path, *, flat: bool = False) -> list[dict[str, Any]]:
    """Read the records of a file, or of a folder of shards.

    Flat rows become records again, whose spans keep their sentence; ``mention`` and ``use`` are
    then None, for flat rows do not hold them.

    :param path: a file of one of ``KINDS``, or a folder that ``forewarn score`` wrote.
    :param flat: of a folder that holds both, read the flat rows, which bring sentences.
    :return: the records, in order, each with ``meta``.
    :raises ValueError: if something is not what ``forewarn score`` writes; the message names the
        file, the record and the remedy.
    """
    placed = [(place, raw) for file in _files(path, flat) for place, raw in _rows(file)]
    if placed and all(isinstance(raw, dict) and "label" in raw for _, raw in placed):
        records = list(_from_flat(placed))
    else:
        records = [_record(place, raw) for place, raw in placed]
    seen: set[str] = set()
    for record in records:
        if record["error"] is None and record["id"] in seen:
            raise ValueError(f"{path}: second record of document {record['id']!r}; leave one out")
        if record["error"] is None:
            seen.add(record["id"])
    return records


def find_documents(
    records: Iterable[dict[str, Any]], documents: Iterable[Document | BrokenDocument]
) -> dict[str, Document]:
    """Find the documents that were scored.

    :param records: what ``read_predictions`` gave.
    :param documents: the input that was scored, in any order, and perhaps more.
    :return: documents by id; those of records that are not in the input are missing.
    :raises ValueError: if a text is not the one that was scored.
    """
    by_id = {record["id"]: record for record in records if record["error"] is None}
    found: dict[str, Document] = {}
    for document in documents:
        if isinstance(document, BrokenDocument) or document.id not in by_id:
            continue
        if document.id in found:
            continue  # 'forewarn score' takes the first one and refuses the others
        for span in by_id[document.id]["spans"]:
            if document.text[span["start_char"] : span["end_char"]] != span["text"]:
                raise ValueError(
                    f"document {document.id!r}: {span['text']!r} is not at character "
                    f"{span['start_char']} of its text; give the input that was scored"
                )
        found[document.id] = document
    return found


def _files(path: Path, flat: bool) -> list[Path]:
    if not path.is_dir():
        if not path.name.lower().endswith(KINDS):
            raise ValueError(f"{path}: cannot be read back; score into {', '.join(KINDS)}")
        return [path]
    shards = ("spans-*", "records-*") if flat else ("records-*", "spans-*")
    for pattern in (*shards, "*.parquet", "*.json"):  # the last two are what Ray writes
        kinds = (*KINDS, ".json") if pattern == "*.json" else KINDS
        files = sorted(file for file in path.glob(pattern) if file.name.endswith(kinds))
        if files:
            return files
    raise ValueError(f"{path}: no shards (records-* of {', '.join(KINDS)}) in this folder")


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".parquet":
        from pyarrow import ArrowException, parquet

        try:
            for n, row in enumerate(parquet.read_table(path).to_pylist(), 1):
                yield f"{path}, record {n}", row
        except ArrowException as error:
            raise ValueError(f"{path}: not a readable Parquet file: {error}; {REMEDY}") from error
        return
    try:
        with open_file(path) as (lines, _):
            for n, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}, line {n}", _loads(f"{path}, line {n}", line)
    except (EOFError, OSError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error


def _loads(place: str, line: bytes | str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: not valid JSON in UTF-8 ({error}); {REMEDY}") from error


def _record(place: str, raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict) or not raw.keys() >= {"id", "mention", "use", "error", "spans"}:
        raise ValueError(f"{place}: not a record of 'forewarn score'; {REMEDY}")
    for name in ("mention", "use"):
        _check_score(place, name, raw[name], optional=True)
    if not isinstance(raw["spans"], list):
        raise ValueError(f"{place}: 'spans' is no list; {REMEDY}")
    spans = [_span(f"{place}, span {n}", span) for n, span in enumerate(raw["spans"], 1)]
    for n, span in enumerate(spans, 1):
        answered = span["responds_to"]
        if answered is not None and answered not in range(len(spans)):
            raise ValueError(f"{place}, span {n}: 'responds_to' names no span; {REMEDY}")
    return {**raw, "id": str(raw["id"]), "spans": spans, "meta": _meta(place, raw.get("meta"))}


def _span(place: str, raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError(f"{place}: not a span of 'forewarn score'; {REMEDY}")
    for name, kind in (("label", str), ("text", str), ("start_char", int), ("end_char", int)):
        if not isinstance(raw.get(name), kind):
            raise ValueError(f"{place}: '{name}' is missing or no {kind.__name__}; {REMEDY}")
    if not 0 <= raw["start_char"] <= raw["end_char"]:
        raise ValueError(f"{place}: 'start_char' and 'end_char' are no place in a text; {REMEDY}")
    _check_score(place, "score", raw.get("score"))
    span = {**dict.fromkeys(_OPTIONAL), **raw}
    for role in ("speaker", "target"):
        named = span[role]
        if named is not None and not (isinstance(named, dict) and isinstance(named["text"], str)):
            raise ValueError(f"{place}: '{role}' is not what 'forewarn score' writes; {REMEDY}")
    return span


def _check_score(place: str, name: str, value: Any, *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        shown = value if isinstance(value, float) and math.isnan(value) else repr(value)
        raise ValueError(f"{place}: '{name}' is {shown}, not a number from 0 to 1; {REMEDY}")


def _meta(place: str, raw: Any) -> dict[str, Any]:
    meta = _loads(f"{place}, meta", raw) if isinstance(raw, str) else raw
    if meta is not None and not isinstance(meta, dict):
        raise ValueError(f"{place}: 'meta' is no JSON object; {REMEDY}")
    return meta or {}


def _from_flat(placed: list[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    records: dict[tuple[str, bool], dict[str, Any]] = {}
    for place, row in placed:
        if "document" not in row or "error" not in row:
            raise ValueError(f"{place}: not a flat row of 'forewarn score'; {REMEDY}")
        failed = row["error"] is not None
        record = records.setdefault(
            (str(row["document"]), failed),
            {
                **{"id": str(row["document"]), "mention": None, "use": None, "spans": []},
                **{"error": row["error"], "model": None},
                "meta": {"date": row.get("date"), **_meta(place, row.get("meta"))},
            },
        )
        if not failed:
            named = {role: row.get(role) and {"text": row[role]} for role in ("speaker", "target")}
            record["spans"].append(_span(place, {**row, **named}))
    yield from records.values()
