"""The output folder of a long run: shards that appear whole, and what is known of them.

``manifest.json`` says what the run is made from, ``shards.jsonl`` has one line for each finished
shard, ``summary.json`` appears at the end. A run that was killed goes on after the last line.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forewarn.jsonl import dumps, read_json, write_json
from forewarn.outputs import open_writer
from forewarn.rows import columns_of
from forewarn.seen import IDS

MANIFEST = "manifest.json"
SHARDS = "shards.jsonl"
SUMMARY = "summary.json"
LOCK = ".lock"
OURS = (MANIFEST, SHARDS, SUMMARY, LOCK, IDS)


class BatchError(ValueError):
    """A run cannot start or cannot go on; the message says what to do."""


@dataclass
class Counts:
    """What is counted of documents; ``errors`` and ``encodings`` by kind."""

    n_documents: int = 0
    n_flagged: int = 0
    n_spans: int = 0
    n_words: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add other counts to these.

        :param other: the other counts.
        """
        self.n_documents += other.n_documents
        self.n_flagged += other.n_flagged
        self.n_spans += other.n_spans
        self.n_words += other.n_words
        for mine, theirs in ((self.errors, other.errors), (self.encodings, other.encodings)):
            for kind, n in theirs.items():
                mine[kind] = mine.get(kind, 0) + n

    @property
    def n_failed(self) -> int:
        """How many documents could not be scored."""
        return sum(self.errors.values())

    def to_dict(self) -> dict[str, Any]:
        """Turn the counts into plain values, kinds sorted by name.

        :return: a dict.
        """
        raw = asdict(self)
        for name in ("errors", "encodings"):
            raw[name] = dict(sorted(raw[name].items()))
        return raw


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; a killed run leaves no lock behind.

    :param folder: the output folder.
    :yields: nothing.
    :raises BatchError: if another run has the folder.
    """
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            file.seek(0)
            raise BatchError(
                f"{folder}: another run ({file.read().strip() or 'unknown'}) writes here; wait "
                "for it or choose another folder"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def fingerprint(files: Iterable[str]) -> dict[str, Any]:
    """Identify input by the paths and contents of its files.

    :param files: paths of files, and of folders that ``datasets`` saved.
    :return: how many files and bytes there are, and one SHA-256 over all of them.
    """
    whole, n_files, n_bytes = hashlib.sha256(), 0, 0
    for name in files:
        path = Path(name)
        parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for part in parts:
            n_files += 1
            try:
                with part.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
                n_bytes += part.stat().st_size
            except OSError:  # reading it will say why
                content = "unreadable"
            whole.update(f"{part}\0{content}\n".encode("utf-8", "surrogateescape"))
    return {"n_files": n_files, "n_bytes": n_bytes, "sha256": whole.hexdigest()}


class Shards:
    """The finished shards of a run, and the way to add one.

    :param folder: the output folder; it is locked by the caller.
    :param kind: the kind of shard, one of ``outputs.SHARD_KINDS``.
    :param flat_kind: the kind of the flat shards beside them, or None.
    :param meta: whether rows hold what is carried through.
    """

    def __init__(self, folder: Path, kind: str, flat_kind: str | None, meta: bool) -> None:
        self.folder, self.kind, self.flat_kind, self.meta = folder, kind, flat_kind, meta
        self.counts = Counts()
        self.n = 0

    def start(self, about: dict[str, Any], *, restart: bool) -> None:
        """Begin a run, or find where an earlier one ended.

        :param about: what the run is made from, as plain JSON values.
        :param restart: throw away what an earlier run wrote here.
        :raises BatchError: if the folder holds something else, or a run from something else.
        """
        path = self.folder / MANIFEST
        if restart:
            self._clear()
        if path.is_file():
            _refuse_other(path, read_json(path), about)
            self._read_finished()
        else:
            foreign = [p.name for p in self.folder.iterdir() if p.name not in OURS]
            if foreign:
                raise BatchError(
                    f"{self.folder}: holds other files, such as {foreign[0]!r}; choose an empty "
                    "folder"
                )
            write_json(path, about)

    def write(self, rows: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]) -> dict[str, str]:
        """Write the files of the next shard, each whole or not at all.

        :param rows: records, and for each its flat rows.
        :return: the SHA-256 of each file, by name.
        :raises BatchError: if the disk is full or cannot be written to.
        """
        names = [f"records-{self.n:06}{self.kind}"]
        if self.flat_kind:
            names.append(f"spans-{self.n:06}{self.flat_kind}")
        partial = [self.folder / f".{name}.partial" for name in names]
        try:
            writers = [
                open_writer(path, kind, columns_of(flat=flat, meta=self.meta))
                for path, kind, flat in zip(
                    partial, (self.kind, self.flat_kind or ""), (False, True), strict=False
                )
            ]
            for record, spans in rows:
                writers[0].write({**record, "meta": record.get("meta")} if self.meta else record)
                if self.flat_kind:
                    for span in spans:
                        writers[1].write(span)
            for writer in writers:
                writer.close()
            return {
                name: _publish(path, self.folder / name)
                for name, path in zip(names, partial, strict=True)
            }
        except OSError as error:
            for path in partial:
                path.unlink(missing_ok=True)
            raise BatchError(
                f"{self.folder}: shard {self.n} cannot be written ({error.strerror or error}); "
                f"the {self.n} before it are safe: make room and run the same command again"
            ) from error

    def finish(self, sums: dict[str, str], counts: Counts) -> None:
        """Take note of a finished shard.

        :param sums: what ``write`` gave.
        :param counts: what was counted in it.
        """
        line = {"shard": self.n, "sha256": sums, **counts.to_dict()}
        with (self.folder / SHARDS).open("ab") as file:
            file.write(dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.n += 1
        self.counts.add(counts)

    def close(self) -> None:
        """Write the summary of a run that reached the end."""
        summary = {"n_shards": self.n, **self.counts.to_dict(), "n_failed": self.counts.n_failed}
        (self.folder / IDS).unlink(missing_ok=True)
        write_json(self.folder / SUMMARY, summary)

    @property
    def finished(self) -> bool:
        """Whether the run reached the end."""
        return (self.folder / SUMMARY).is_file()

    def _read_finished(self) -> None:
        path = self.folder / SHARDS
        content = path.read_bytes() if path.is_file() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # killed within a line
            with path.open("r+b") as file:
                file.truncate(len(whole))
        for n, line in enumerate(whole.splitlines()):
            raw = json.loads(line)
            missing = [name for name in raw["sha256"] if not (self.folder / name).is_file()]
            if raw["shard"] != n or missing:
                raise BatchError(
                    f"{path}, line {n + 1}: shard {missing or n} is missing; put it back, or give "
                    "--restart to begin again"
                )
            names = ("n_documents", "n_flagged", "n_spans", "n_words", "errors", "encodings")
            self.counts.add(Counts(**{name: raw[name] for name in names}))
            self.n += 1
        for path in self.folder.glob(".*.partial"):
            path.unlink()

    def _clear(self) -> None:
        if not (self.folder / MANIFEST).is_file():
            return
        patterns = ("records-*", "spans-*", ".*.partial", *OURS[:3], IDS)
        for pattern in patterns:
            for path in self.folder.glob(pattern):
                path.unlink()


def _publish(partial: Path, path: Path) -> str:
    with partial.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    partial.replace(path)
    return digest


def _refuse_other(path: Path, before: Any, now: dict[str, Any]) -> None:
    if before == now:
        return
    before = before if isinstance(before, dict) else {}
    parts = [part for part in now if before.get(part) != now[part]]
    detail = [
        f"{name} was {before['options'].get(name)!r}, now {now['options'].get(name)!r}"
        for name in now.get("options", {})
        if "options" in parts and before.get("options", {}).get(name) != now["options"][name]
    ]
    what = "; ".join([", ".join(parts) + " differ from those of the run in this folder", *detail])
    raise BatchError(
        f"{path}: {what}; choose another folder, or give --restart to throw that run away"
    )
