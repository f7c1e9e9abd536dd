"""Pages made at build time: the cards, the notebooks, the scheme, the commands, the modules.

Nothing that they show is kept twice: each comes from the file or the code that it describes.
"""

import json
import os
import pkgutil
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import forewarn
from forewarn import labels
from forewarn.cli import app

DOCS = Path(__file__).parent
ROOT = DOCS.parent

CARDS = {
    "corpus/README.md": "corpus-card",
    "corpus/STATISTICS.md": "statistics",
    "corpus/CHANGELOG.md": "corpus-changes",
    "corpus/challenge/README.md": "challenge",
    "models/README.md": "model-card",
    "annotation/README.md": "rounds",
    "annotation/guidelines.md": "guidelines",
    "annotation/agreement/README.md": "agreement",
    "benchmarks/kills.md": "kills",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changes",
}
"""Files of the repository that are pages too, and the pages' names."""

COMMAND_MODULES = ("__main__", "cli", "studio_cli")
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)")


def write_pages(folder: Path) -> None:
    """Write all generated pages anew.

    :param folder: where they go; what it holds is removed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for sub in ("parts", "notebooks", "modules"):
        (folder / sub).mkdir(parents=True)
    for source, name in CARDS.items():
        text = without_front_matter((ROOT / source).read_text(encoding="utf-8"))
        text = relink(text, (ROOT / source).parent, folder)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        write_notebook(notebook, folder / "notebooks")
    (folder / "parts" / "scheme.md").write_text(scheme_tables(), encoding="utf-8")
    (folder / "commands.md").write_text("\n".join(command_reference()), encoding="utf-8")
    for name, text in module_pages():
        (folder / "modules" / f"{name}.md").write_text(text, encoding="utf-8")


def resolve_links(_: Any, docname: str, source: list[str]) -> None:
    """Turn links to files of the repository into links between pages, as Sphinx reads a page.

    :param docname: the page.
    :param source: its text, the only item, which is exchanged.
    """
    if not docname.startswith("generated/"):
        source[0] = relink(source[0], DOCS, DOCS)


def relink(text: str, base: Path, place: Path) -> str:
    """Rewrite relative links for the place where a page lies.

    A link to a file that is a page leads there; to another file that exists, the file is named.
    What does not exist is left as it is, and the strict build fails on it.

    :param text: Markdown.
    :param base: the folder that its links start from.
    :param place: the folder of the page.
    :return: the text with other links.
    """

    def replace(match: re.Match[str]) -> str:
        picture, words, target, anchor = match.groups()
        path = (base / target).resolve()
        if not path.exists():
            return match[0]
        page = page_of(path)
        if page is None and not picture:
            named = path.relative_to(ROOT).as_posix()
            return f"`{named}`" if words.strip("`") == named else f"{words} (`{named}`)"
        return f"{picture}[{words}]({os.path.relpath(page or path, place)}{anchor or ''})"

    return LINK.sub(replace, text)


def page_of(path: Path) -> Path | None:
    """Find the page that shows a file.

    :param path: a file of the repository.
    :return: the page's own file, or None if the file is not shown.
    """
    name = path.relative_to(ROOT).as_posix()
    if name in CARDS:
        return DOCS / "generated" / f"{CARDS[name]}.md"
    if name.startswith("notebooks/") and path.suffix == ".ipynb":
        return DOCS / "generated" / name
    if name.startswith("docs/") and path.suffix == ".md":
        return path
    return None


def without_front_matter(text: str) -> str:
    """Leave out the YAML at the head of a dataset card.

    :param text: Markdown.
    :return: what follows the YAML.
    """
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)


def write_notebook(notebook: Path, folder: Path) -> None:
    """Copy a notebook, its links made fit for its new place.

    :param notebook: the notebook.
    :param folder: where the copy goes.
    """
    raw = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in raw["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = relink("".join(cell["source"]), notebook.parent, folder)
    (folder / notebook.name).write_text(json.dumps(raw), encoding="utf-8")


def scheme_tables() -> str:
    """Lay out the scheme as the code defines it.

    :return: Markdown tables.
    """
    kinds = {
        "Rhetoric": labels.RHETORIC,
        "Counter speech": labels.COUNTER,
        "Roles": labels.ROLES,
    }
    parts = [
        f"## {title}\n\n"
        + table(("label", "definition"), [(f"`{n}`", labels.BY_NAME[n].definition) for n in names])
        for title, names in kinds.items()
    ]
    relations = [(f"`{r.name}`", r.definition) for r in labels.RELATIONS]
    parts += [
        "## Voices\n\n" + table(("voice", "meaning"), _coded(labels.VOICES)),
        "## Forms of a dehumanising label\n\n" + table(("form", "meaning"), _coded(labels.FORMS)),
        "## Relations\n\n" + table(("relation", "joins"), relations),
        f"This is version {labels.TAXONOMY} of the scheme.",
    ]
    return "\n\n".join(parts) + "\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a Markdown table.

    :param head: the titles of the columns.
    :param rows: the rows.
    :return: the table.
    """
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


def command_reference() -> Iterator[str]:
    """Write the page of all commands from the command line's own help.

    :yields: lines of Markdown.
    """
    root = typer.main.get_command(app)
    yield f"# Commands\n\n{root.help}\n"
    yield "Made from the help of the commands, which `--help` prints too.\n"
    for words, command in iter_commands(root, ("forewarn",)):
        yield f"## `{' '.join(words)}`\n\n{_paragraphs(command.help)}\n"
        arguments = " ".join(map(_argument, _shown(command, "argument")))
        yield f"```text\n{' '.join(words)} [OPTIONS] {arguments}".rstrip() + "\n```\n"
        rows = [_row(parameter) for parameter in _shown(command)]
        if rows:
            yield table(("argument or option", "meaning", "if not given"), rows) + "\n"


def iter_commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk through all commands.

    :param command: a command or a group.
    :param words: how it is called.
    :yields: the words and the command, groups left out.
    """
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name in sorted(command.commands):
        yield from iter_commands(command.commands[name], (*words, name))


def _shown(command: Any, kind: str | None = None) -> list[Any]:
    return [
        p
        for p in command.params
        if not getattr(p, "hidden", False)
        and (kind is None or p.param_type_name == kind)
        and p.name != "help"
    ]


def _argument(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = _argument(parameter)
    else:
        name = ", ".join((*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = "" if default is None or callable(default) or parameter.required else str(default)
    if default is False or default is True:
        shown = "yes" if default else "no"
    missing = "needed" if parameter.required else f"`{shown}`" if shown else ""
    return f"`{name}`", _words(getattr(parameter, "help", None)), missing


def _words(text: str | None) -> str:
    return " ".join((text or "").split()).replace("*", "\\*").replace("<", "\\<")


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(_words(part) for part in (text or "").split("\n\n"))


def module_pages() -> Iterator[tuple[str, str]]:
    """Write a page for each sub-package, from the docstrings.

    :yields: the page's name and its text.
    """
    names: dict[str, list[str]] = {"forewarn": []}
    for module in pkgutil.walk_packages(forewarn.__path__, "forewarn."):
        package, _, last = module.name.rpartition(".")
        if module.ispkg:
            names.setdefault(module.name, [])
        elif last not in COMMAND_MODULES:
            names.setdefault(package, []).append(module.name)
    for package, modules in names.items():
        yield package, f"# `{package}`\n\n" + "\n".join(map(_automodule, [package, *modules]))


def _automodule(name: str) -> str:
    title = "" if name.count(".") == 0 else f"## `{name}`\n\n"
    options = "   :members:\n   :ignore-module-all:\n"
    return f"{title}```{{eval-rst}}\n.. automodule:: {name}\n{options}```\n"


def _coded(values: dict[str, str]) -> list[tuple[str, ...]]:
    return [(f"`{name}`", meaning) for name, meaning in values.items()]
