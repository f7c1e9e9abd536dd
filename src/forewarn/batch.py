"""Score many documents into a folder of shards: bounded memory, and a killed run goes on."""

import hashlib
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import forewarn
from forewarn.documents import STDIN
from forewarn.jsonl import dumps
from forewarn.model.files import read_manifest
from forewarn.model.predictor import find_model
from forewarn.readers import read_file
from forewarn.scoring import refuse_repeated
from forewarn.seen import SeenIds
from forewarn.shards import BatchError, Counts, Shards, fingerprint, locked
from forewarn.sources import Item, ReadOptions
from forewarn.workers import Scored, WorkerOptions, Workers

FORMAT = 1
Progress = Callable[[Counts, int], object]
"""Is told what is done since the start of this process, and how many bytes of input are read."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a run is made; other ``n_processes`` give the same output."""

    worker: WorkerOptions
    read: ReadOptions = field(default_factory=ReadOptions)
    kind: str = ".jsonl"
    flat_kind: str | None = None
    shard_documents: int = 1000
    n_processes: int = 1
    restart: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a run ended: what all shards hold, and the signal that stopped it, if one did."""

    counts: Counts
    n_shards: int
    n_before: int
    stopped_by: int | None


def score_batch(
    files: list[str], folder: Path, options: BatchOptions, progress: Progress = lambda *_: None
) -> BatchResult:
    """Score files into a folder, going on where an earlier run of the same ended.

    :param files: what ``list_files`` gives.
    :param folder: the output folder; made if there is none.
    :param options: how.
    :param progress: is told after every document.
    :return: what was done.
    :raises BatchError: if the standard input is among the files, the folder is in use or holds
        another run, or a shard cannot be written.
    """
    if STDIN in files:
        raise BatchError("the standard input cannot be read again; write it to a file first")
    about = describe_run(files, options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(f"{folder}: cannot be made ({error.strerror}); choose another") from error
    with locked(folder):
        shards = Shards(folder, options.kind, options.flat_kind, bool(options.read.carried))
        shards.start(about, restart=options.restart)
        if shards.finished:
            return BatchResult(shards.counts, shards.n, shards.n, None)
        return _Run(files, shards, options, progress).run()


def describe_run(files: list[str], options: BatchOptions) -> dict[str, Any]:
    """Say what the output of a run depends on.

    :param files: its input.
    :param options: how it is made.
    :return: plain JSON values, equal for runs that give equal output.
    """
    model = read_manifest(find_model(options.worker.model))
    checksums = dumps(dict(sorted(model["files"].items())))
    return {
        "format": FORMAT,
        "forewarn": forewarn.__version__,
        "model": {
            "name": model["name"],
            "sha256": hashlib.sha256(checksums.encode()).hexdigest(),
        },
        "options": {
            "threshold": options.worker.threshold,
            "gate": options.worker.gate,
            "kind": options.kind,
            "flat": options.flat_kind,
            "date_column": options.worker.date_column,
            "shard_documents": options.shard_documents,
            "text_column": options.read.text_column,
            "id_column": options.read.id_column,
            "keep": list(options.read.keep),
            "encoding": options.read.encoding,
        },
        "input": fingerprint(files),
    }


class _Run:
    def __init__(
        self, files: list[str], shards: Shards, options: BatchOptions, progress: Progress
    ) -> None:
        self.files, self.shards, self.options, self.progress = files, shards, options, progress
        self.n_before = shards.n
        self.n_read = shards.counts.n_documents
        self.n_bytes = 0
        self.stopped_by: int | None = None
        self.done = Counts()

    def run(self) -> BatchResult:
        ids = SeenIds(self.shards.folder, self.shards.n)
        workers = Workers(self.options.n_processes, self.options.worker)
        with closing(ids), workers, self._signals():
            scored = workers.score(refuse_repeated(self._items(ids), ids))
            while shard := list(islice(scored, 1)):
                counts = Counts()
                sums = self.shards.write(self._rows(shard[0], scored, counts))
                ids.save()
                self.shards.finish(sums, counts)
        if self.stopped_by is None:
            self.shards.close()
        return BatchResult(self.shards.counts, self.shards.n, self.n_before, self.stopped_by)

    def _rows(
        self, first: Scored, rest: Iterator[Scored], counts: Counts
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for scored in _chain(first, islice(rest, self.options.shard_documents - 1)):
            one = _count(scored)
            counts.add(one)
            self.done.add(one)
            self.progress(self.done, self.n_bytes)
            yield scored.record, scored.rows

    def _items(self, ids: SeenIds) -> Iterator[Item]:
        """Read on after the finished shards, up to a signal and the end of the shard."""
        for position, item in enumerate(self._all_items()):
            if position < self.n_read:
                continue
            if self.stopped_by is not None and position % self.options.shard_documents == 0:
                return
            ids.shard = position // self.options.shard_documents
            yield item

    def _all_items(self) -> Iterator[Item]:
        for name in self.files:
            done = 0
            for item, end in read_file(Path(name), self.options.read):
                self.n_bytes += end - done
                done = end
                yield item

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """On a first signal finish the shard; on a second end at once."""

        def stop(number: int, _: Any) -> None:
            if self.stopped_by is not None:
                raise KeyboardInterrupt
            self.stopped_by = number

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _chain(first: Scored, rest: Iterator[Scored]) -> Iterator[Scored]:
    yield first
    yield from rest


def _count(scored: Scored) -> Counts:
    encoding = (scored.record.get("meta") or {}).get("encoding")
    return Counts(
        n_documents=1,
        n_flagged=int(bool(scored.record["spans"])),
        n_spans=len(scored.record["spans"]),
        n_words=scored.n_words,
        errors={} if scored.error_kind is None else {scored.error_kind: 1},
        encodings={} if encoding is None else {str(encoding): 1},
    )
