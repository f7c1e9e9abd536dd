"""The guidelines as Label Studio shows them behind the button ``Show instructions``."""

import re
from html import escape
from pathlib import Path

from forewarn import labels


def read_instructions(guidelines: Path) -> tuple[str, str]:
    """Read the guidelines for the interface.

    :param guidelines: a Markdown file with a line ``Version N``.
    :return: HTML, and the version; without the file, the definitions of the scheme and "".
    :raises ValueError: if the file has no such line.
    """
    if not guidelines.is_file():
        return scheme_as_html(), ""
    from markdown_it import MarkdownIt

    text = guidelines.read_text(encoding="utf-8")
    version = re.search(r"^Version (\S+)$", text, re.M)
    if version is None:
        raise ValueError(f"{guidelines}: has no line 'Version N', which every annotation names")
    html: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return html, version[1]


def scheme_as_html() -> str:
    """Write the definitions of the scheme.

    :return: HTML.
    """
    parts = []
    for title, definitions in (
        ("Labels", {label.name: label.definition for label in labels.LABELS}),
        ("Forms", labels.FORMS),
        ("Voices", labels.VOICES),
        ("Relations", {relation.name: relation.definition for relation in labels.RELATIONS}),
    ):
        rows = "".join(f"<li><b>{k}</b>: {escape(v)}</li>" for k, v in definitions.items())
        parts.append(f"<h3>{title}</h3><ul>{rows}</ul>")
    return "".join(parts)
