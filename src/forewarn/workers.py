"""Worker processes that take out texts and score them; one that dies costs one document."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from forewarn.flat import flatten
from forewarn.model.predictor import Predictor
from forewarn.readers import finish
from forewarn.scoring import score_document
from forewarn.sources import BrokenDocument, Item, RawDocument

CHUNK_DOCUMENTS = 16
CHUNK_CHARS = 100_000
CHARS_IN_FLIGHT = 10_000_000
"""Bounds on what is handed to a worker at once, and on what all of them hold."""


class WorkerError(RuntimeError):
    """The workers cannot start."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker needs: the model and whether, and with which date, it makes flat rows."""

    model: str | None
    threshold: float | None
    gate: bool
    flat: bool
    date_column: str = "date"


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one document; ``error_kind`` is None if it was scored."""

    record: dict[str, Any]
    rows: list[dict[str, Any]]
    n_words: int
    error_kind: str | None


class Scorer:
    """A loaded model and what is made of its predictions.

    :param options: which model, and how.
    :param n_threads: threads of the encoder.
    """

    def __init__(self, options: WorkerOptions, n_threads: int | None = 1) -> None:
        self.options = options
        self.predictor = Predictor.load(
            options.model, threshold=options.threshold, n_threads=n_threads, gate=options.gate
        )

    def score(self, item: Item) -> Scored:
        """Score one document.

        :param item: a document of any state.
        :return: its record, and its flat rows if they are asked for.
        """
        document = finish(item)
        record = score_document(self.predictor, document)
        kind: str | None = None if record["error"] is None else "scoring"
        text = "" if isinstance(document, BrokenDocument) else document.text
        if isinstance(document, BrokenDocument):
            kind = document.kind
        rows = flatten(record, text, self.options.date_column) if self.options.flat else []
        return Scored(record, rows, len(text.split()), kind)


class Workers:
    """Processes, each with a model of its own that runs in one thread.

    :param n_processes: how many.
    :param options: what each of them loads.
    :raises WorkerError: if they cannot start.
    """

    def __init__(self, n_processes: int, options: WorkerOptions) -> None:
        self._n, self._options = n_processes, options
        self._pool = self._start()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def score(self, items: Iterable[Item]) -> Iterator[Scored]:
        """Score documents; those that are not yet asked for are not read far ahead.

        :param items: documents of any state.
        :yields: what became of each, in order.
        """
        waiting: deque[tuple[list[Item], Future[list[Scored]]]] = deque()
        chunks = _chunks(items)
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * self._n + 2 and _held(waiting) < CHARS_IN_FLIGHT:
                chunk = next(chunks, None)
                if chunk is None:
                    more = False
                else:
                    waiting.append((chunk, self._submit(chunk)))
            if waiting:
                chunk, future = waiting.popleft()
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    self._pool = self._start()
                    yield from self._one_by_one(chunk)
                    waiting = deque((chunk, self._submit(chunk)) for chunk, _ in waiting)

    def _submit(self, chunk: list[Item]) -> "Future[list[Scored]]":
        try:
            return self._pool.submit(_score_chunk, chunk)
        except BrokenProcessPool as error:
            broken: Future[list[Scored]] = Future()
            broken.set_exception(error)
            return broken

    def _one_by_one(self, chunk: list[Item]) -> Iterator[Scored]:
        """Find the document at which a worker dies."""
        for item in chunk:
            try:
                yield from self._pool.submit(_score_chunk, [item]).result()
            except BrokenProcessPool:
                self._pool = self._start()
                place = item.place if isinstance(item, RawDocument) else item.id
                message = (
                    f"{place}: the process that worked on it died (out of memory, or a fault in a "
                    "library); score this document by itself"
                )
                broken = BrokenDocument(item.id, message, "crash")
                yield from self._pool.submit(_score_chunk, [broken]).result()

    def _start(self) -> ProcessPoolExecutor:
        from multiprocessing import get_context

        if hasattr(self, "_pool"):
            self._pool.shutdown(wait=False, cancel_futures=True)
        pool = ProcessPoolExecutor(
            self._n, get_context("spawn"), initializer=_start_worker, initargs=(self._options,)
        )
        try:
            pool.submit(_score_chunk, []).result()
        except BrokenProcessPool as error:
            raise WorkerError(
                "the worker processes ended while they loaded the model; their message stands above"
            ) from error
        return pool


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        length = _length(item)
        if chunk and size + length > CHUNK_CHARS:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
        if len(chunk) >= CHUNK_DOCUMENTS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _length(item: Item) -> int:
    if isinstance(item, RawDocument):
        return len(item.content)
    return 0 if isinstance(item, BrokenDocument) else len(item.text)


def _held(waiting: Iterable[tuple[list[Item], Any]]) -> int:
    return sum(_length(item) for chunk, _ in waiting for item in chunk)


_score: Callable[[Item], Scored]


def _start_worker(options: WorkerOptions) -> None:
    import signal
    from multiprocessing import parent_process

    global _score
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent says when to stop
        signal.signal(number, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _score = Scorer(options).score


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _score_chunk(chunk: list[Item]) -> list[Scored]:
    return [_score(item) for item in chunk]
