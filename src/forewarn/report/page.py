"""Put the page together: template, style, script and data in one file that asks for nothing."""

import base64
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render_page(data: dict[str, Any]) -> str:
    """Render the page.

    The policy lets only the page's own style and script act, known by their sums, and lets
    nothing be loaded. Nothing of the data is in the page but as JSON; the script writes it as text.

    :param data: what ``page_data`` gave.
    :return: the HTML, which holds no lone surrogates.
    """
    style, script = _read("report.css"), _read("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{_sum(script)}'",
            f"style-src 'sha256-{_sum(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {"POLICY": policy, "STYLE": style, "SCRIPT": script, "DATA": embed_json(data)}
    head, *rest = _read("template.html").split("{{")
    for part in rest:
        name, _, after = part.partition("}}")
        head += parts[name] + after
    return head


def embed_json(value: Any) -> str:
    """Encode a value so that it can stand in a script element.

    :param value: any JSON value.
    :return: JSON without ``<``, ``>``, ``&``, line and paragraph separators or lone surrogates.
    """
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return line.translate(_ESCAPES)


def write_page(path: Path, page: str) -> int:
    """Write the page; the file appears whole or not at all.

    :param path: a file that ends in ``.html``.
    :param page: what ``render_page`` gave.
    :return: its size in bytes.
    :raises ValueError: if the path does not end in ``.html`` or cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
        raise ValueError(f"{path}: give the page a name that ends in .html")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        size = partial.write_bytes(page.encode())
        partial.replace(path)
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be written ({error.strerror or error}); choose a folder that exists "
            "and that you may write to"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return size


def _read(name: str) -> str:
    return (files("forewarn.report") / name).read_text(encoding="utf-8")


def _sum(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
