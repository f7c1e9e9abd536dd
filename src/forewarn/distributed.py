"""Score on many machines with Ray Data; or from Spark, by ``score_frames``. Extra ``distributed``.

Each file is read by one task, each actor loads the model once and runs it in one thread. Tasks and
actors that die are run again by Ray.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from forewarn.jsonl import dumps
from forewarn.model.predictor import check_text
from forewarn.readers import finish, read_file
from forewarn.records import Document
from forewarn.rows import arrow_schema, columns_of, for_arrow
from forewarn.shards import BatchError
from forewarn.sources import BrokenDocument, Item, ReadOptions
from forewarn.workers import Scorer, WorkerOptions

KINDS = (".parquet", ".jsonl")
BATCH_DOCUMENTS = 32
ACTOR_MEMORY = 500_000_000
"""What an actor asks Ray for, in bytes; see docs/batch.md for what was measured."""

SPARK_SCHEMA = (
    "id string, mention double, use double, model string, taxonomy string, error string, "
    "spans string"
)
"""The columns of ``score_frames`` for Spark; ``spans`` is JSON."""


def score_with_ray(
    files: list[str],
    folder: Path,
    options: WorkerOptions,
    *,
    read: ReadOptions | None = None,
    kind: str = ".parquet",
    n_actors: int | None = None,
    address: str | None = None,
) -> dict[str, int]:
    """Score files on Ray into a folder that all machines see; records are in no set order.

    :param files: what ``list_files`` gives, by paths that all machines see.
    :param folder: the output folder, empty or new.
    :param options: the model, and whether flat rows are written instead of records.
    :param read: how to read.
    :param kind: ``.parquet`` or ``.jsonl``.
    :param n_actors: how many models are loaded; one less than there are processors if None.
    :param address: the cluster's address; a local one is started if None and none is connected.
    :return: counts of documents, flagged and failed ones.
    :raises BatchError: if the folder is not empty, the kind is not one of ``KINDS``, or ``-`` is
        among the files.
    :raises ImportError: if Ray is not installed.
    """
    if kind not in KINDS:
        raise BatchError(f"on Ray the output is {' or '.join(KINDS)}, not {kind}")
    if "-" in files:
        raise BatchError("the standard input cannot be read on Ray; write it to a file first")
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise BatchError(f"{folder}: is not empty; choose a new folder")
    ray = _ray()
    if not ray.is_initialized():
        local = {"include_dashboard": False} if address is None else {}
        ray.init(address=address, log_to_driver=False, logging_level="warning", **local)
    n_actors = n_actors or max(1, int(ray.cluster_resources().get("CPU", 1)) - 1)
    read = read or ReadOptions()
    names = [{"name": str(Path(name).absolute()), "shown": name} for name in files]
    scored = (
        ray.data.from_items(names, override_num_blocks=len(names))
        .flat_map(_read_rows, fn_kwargs={"read": read}, num_cpus=0.25)
        .map_batches(
            ScoringActor,
            fn_constructor_kwargs={"options": options, "meta": bool(read.carried)},
            batch_size=BATCH_DOCUMENTS,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=n_actors),
            num_cpus=1,
            memory=ACTOR_MEMORY,
        )
    )
    folder.mkdir(parents=True, exist_ok=True)
    write = scored.write_parquet if kind == ".parquet" else scored.write_json
    write(str(folder), ray_remote_args={"num_cpus": 0.25})
    return count_records(folder, kind)


class ScoringActor:
    """What runs on each of Ray's actors: a model and the way from a batch to a batch.

    :param options: the model.
    :param meta: whether something is carried through.
    """

    def __init__(self, options: WorkerOptions, meta: bool = False) -> None:
        self._scorer = Scorer(options)
        self._flat = options.flat
        self._schema = arrow_schema(columns_of(flat=options.flat, meta=meta))

    def __call__(self, batch: Any) -> Any:
        """Score a batch.

        :param batch: an Arrow table of what ``_read_rows`` gives.
        :return: an Arrow table of records, or of flat rows.
        """
        import pyarrow

        rows: list[dict[str, Any]] = []
        for raw in batch.to_pylist():
            scored = self._scorer.score(_from_row(raw))
            rows += scored.rows if self._flat else [scored.record]
        return pyarrow.Table.from_pylist([for_arrow(row) for row in rows], schema=self._schema)


def score_frames(frames: Iterable[Any], options: WorkerOptions | None = None) -> Iterator[Any]:
    """Score pandas frames, as Spark's ``mapInPandas`` hands them over.

    :param frames: frames with the columns ``id`` and ``text``.
    :param options: the model, which each process loads once; the default one if None.
    :yields: one frame for each, with the columns of ``SPARK_SCHEMA``.
    """
    import pandas

    scorer = _scorer(options or WorkerOptions(None, None, gate=True, flat=False))
    for frame in frames:
        rows = []
        for id_, text in zip(frame["id"], frame["text"], strict=True):
            if isinstance(text, str):
                item: Item = Document(str(id_), text)
            else:
                item = BrokenDocument(str(id_), f"{id_}: column 'text' is not a string")
            record = scorer.score(item).record
            rows.append({**record, "spans": dumps(record["spans"])})
        yield pandas.DataFrame(rows, columns=list(columns_of()))


def count_records(folder: Path, kind: str) -> dict[str, int]:
    """Count what a run wrote.

    :param folder: its output folder.
    :param kind: ``.parquet`` or ``.jsonl``.
    :return: counts of documents, flagged and failed ones; of flat rows, only documents with rows.
    """
    documents, flagged, failed = 0, 0, 0
    for path in sorted(folder.rglob("*.parquet" if kind == ".parquet" else "*.json")):
        last = None
        for row in _written(path):
            if "spans" in row:
                documents, flagged = documents + 1, flagged + bool(row["spans"])
                failed += row["error"] is not None
            elif row["document"] != last:
                last = row["document"]
                documents, flagged = documents + 1, flagged + (row["error"] is None)
                failed += row["error"] is not None
    return {"n_documents": documents, "n_flagged": flagged, "n_failed": failed}


def _written(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".json":
        with path.open("rb") as lines:
            yield from map(json.loads, lines)
        return
    from pyarrow import parquet

    for batch in parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def _read_rows(row: dict[str, Any], read: ReadOptions) -> Iterator[dict[str, Any]]:
    for item, _ in read_file(Path(row["name"]), read):
        document = finish(item)
        absolute, shown = row["name"], row["shown"]
        id_ = document.id.replace(absolute, shown, 1)
        if isinstance(document, Document):
            try:
                check_text(document.text)
            except ValueError as error:
                document = BrokenDocument(id_, f"{id_}: {error}", "scoring")
        yield _to_row(id_, document, absolute, shown)


def _to_row(
    id_: str, document: Document | BrokenDocument, absolute: str, shown: str
) -> dict[str, Any]:
    blank = {"id": id_, "text": None, "meta": None, "error": None, "kind": None}
    if isinstance(document, BrokenDocument):
        error = document.error.replace(absolute, shown, 1)
        row = {**blank, "error": error, "kind": document.kind}
    else:
        meta = None if document.meta is None else dumps(document.meta)
        row = {**blank, "text": document.text, "meta": meta}
    encoded: dict[str, Any] = for_arrow(row)
    return encoded


def _from_row(raw: dict[str, Any]) -> Item:
    if raw["error"] is not None:
        return BrokenDocument(raw["id"], raw["error"], raw["kind"])
    return Document(
        raw["id"], raw["text"], None if raw["meta"] is None else json.loads(raw["meta"])
    )


@lru_cache(maxsize=2)
def _scorer(options: WorkerOptions) -> Scorer:
    return Scorer(options)


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            "scoring on Ray needs more packages; install them with: "
            "pip install 'forewarn[distributed]'"
        ) from error
    return ray
