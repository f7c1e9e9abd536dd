"""Read and write JSON and JSON Lines, always as UTF-8 with stable bytes."""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def dumps(value: Any) -> str:
    """Encode a value as one line of JSON.

    Text stays readable; only lone surrogates, which UTF-8 cannot hold, are escaped.

    :param value: any JSON value.
    :return: the line, without a line break.
    :raises ValueError: if the value holds NaN or an infinity.
    """
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    return line


def read_json(path: Path) -> Any:
    """Decode one JSON file.

    :param path: the file.
    :return: its value.
    :raises ValueError: if it is not JSON in UTF-8; the message names the file and the place.
    """
    try:
        return json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid JSON in UTF-8: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write one value, indented by one space, replacing the file in one step.

    :param path: the file.
    :param value: any JSON value.
    """
    _write(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_jsonl(path: Path) -> list[Any]:
    """Decode every line of a JSON Lines file.

    :param path: the file.
    :return: one value per line that is not blank.
    :raises ValueError: if a line is not JSON in UTF-8; the message names the file and the line.
    """
    values = []
    with path.open("rb") as lines:
        for n, line in enumerate(lines, 1):
            if line.strip():
                try:
                    values.append(json.loads(line))
                except (json.JSONDecodeError, UnicodeDecodeError) as error:
                    raise ValueError(f"{path}, line {n}: not valid JSON: {error}") from error
    return values


def write_jsonl(path: Path, values: Iterable[Any]) -> int:
    """Write one line per value, replacing the file in one step.

    :param path: the file.
    :param values: JSON values.
    :return: how many lines were written.
    """
    lines = [dumps(value) + "\n" for value in values]
    _write(path, "".join(lines))
    return len(lines)


def _write(path: Path, content: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
