"""Files of any kind to documents; what cannot be read becomes a broken document, never nothing."""

import sys
from collections.abc import Callable, Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path

from forewarn.encodings import decode_found, describe_bad_bytes
from forewarn.readers import KINDS, finish, kind_of, read_file
from forewarn.records import Document
from forewarn.sources import BrokenDocument, ReadOptions, size_of
from forewarn.tables import is_dataset

__all__ = ["BrokenDocument", "InputError", "count_bytes", "list_files", "stream_documents"]

STDIN = "-"


class InputError(ValueError):
    """An input does not exist or holds nothing that can be read."""


def stream_documents(
    files: Iterable[str],
    report: Callable[[int], object] | None = None,
    options: ReadOptions | None = None,
) -> Iterator[Document | BrokenDocument]:
    """Read documents one after the other, in input order.

    :param files: what ``list_files`` gives; ``-`` is the standard input, read as one text.
    :param report: called after each document with the bytes of its file that it took.
    :param options: how to read.
    :yields: documents, and a broken one for every record that cannot be read.
    """
    options = options or ReadOptions()
    for name in files:
        done = 0
        items = [(read_stdin(options), 0)] if name == STDIN else read_file(Path(name), options)
        for item, end in items:
            yield finish(item)
            if report is not None:
                report(end - done)
            done = end


def count_bytes(files: Iterable[str]) -> int | None:
    """Add up the sizes of files.

    :param files: what ``list_files`` gives.
    :return: the sum, or None if the standard input is among them.
    """
    sizes = [None if name == STDIN else size_of(Path(name)) for name in files]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def list_files(inputs: Iterable[str], output: Path | None = None) -> list[str]:
    """Resolve patterns, and folders to the files in them, at any depth, sorted by path.

    :param inputs: paths of files, folders of them, patterns such as ``news/**/*.html``, or ``-``.
    :param output: the file or folder that will be written; it is passed over inside a folder.
    :return: paths of files and of folders that ``datasets`` saved, or ``-``.
    :raises InputError: if a path does not exist or is the output, or a folder or pattern gives no
        readable file.
    """
    found: list[str] = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            found += [name] if is_dataset(path) else _list_folder(path, output)
        elif name != STDIN and not path.exists() and has_magic(name):
            found += _list_pattern(name, output)
        elif name != STDIN and not path.is_file():
            raise InputError(f"{name}: no such file or folder")
        elif name != STDIN and _is_same(path, output):
            raise InputError(f"{name}: is both input and output; write to another file")
        else:
            found.append(name)
    return found


def _list_folder(folder: Path, output: Path | None) -> list[str]:
    inside = [path for path in sorted(folder.rglob("*")) if _is_readable_kind(path)]
    saved = {path for path in inside if path.is_dir()}
    whole = [path for path in inside if saved.isdisjoint(path.parents)]
    found = [str(path) for path in whole if not _is_same(path, output)]
    if not found:
        raise InputError(f"{folder}: no files of the kinds {', '.join(KINDS)} in this folder")
    return found


def _list_pattern(pattern: str, output: Path | None) -> list[str]:
    inside = [Path(name) for name in sorted(glob(pattern, recursive=True))]  # noqa: PTH207 (Path.glob takes no absolute pattern)
    found = [str(path) for path in inside if path.is_file() and not _is_same(path, output)]
    if not found:
        raise InputError(f"{pattern}: no file fits this pattern")
    return found


def _is_same(path: Path, output: Path | None) -> bool:
    if output is None or not output.exists():
        return False
    if output.is_dir():
        return output.resolve() in path.resolve().parents
    return path.samefile(output)


def _is_readable_kind(path: Path) -> bool:
    if path.is_dir():
        return is_dataset(path)
    return path.is_file() and kind_of(path) in KINDS


def read_stdin(options: ReadOptions | None = None) -> Document | BrokenDocument:
    """Read the standard input as one text.

    :param options: how to read.
    :return: the document, with the id ``-``.
    """
    encoding = (options or ReadOptions()).encoding
    try:
        return Document(STDIN, decode_found(sys.stdin.buffer.read(), encoding)[0])
    except UnicodeDecodeError as error:
        return BrokenDocument(STDIN, f"standard input: {describe_bad_bytes(error)}")
