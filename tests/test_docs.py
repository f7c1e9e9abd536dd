"""What the documentation shows is what happens: its code is run, its output compared."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from forewarn import labels
from forewarn.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("[acmn]*/**/*.md"))]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EVERYTHING = [*DOCUMENTS, *PAGES]

WALK = """
import json, subprocess, sys
namespace = {"__name__": "__main__"}
for language, code in json.load(sys.stdin):
    print(code, flush=True)
    if language == "sh":
        subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)
    else:
        exec(compile(code, "page", "exec"), namespace)
"""
"""Go through a page as a reader does: shell and Python in turn, in one folder, one session."""


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.M | re.S)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_code_runs(path, tmp_path):
    for code in blocks(path, "python"):
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_console_shows_what_is_printed(path):
    for block in blocks(path, "console"):
        command, _, shown = block.partition("\n")
        words = command.removeprefix("$ ").split()
        assert words[0] == "forewarn"
        environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
        done = subprocess.run(
            [sys.executable, "-m", "forewarn", *words[1:]],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert words_of(done.stdout) == words_of(shown)
        assert scores_of(done.stdout) == pytest.approx(scores_of(shown), abs=0.03)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_can_be_followed(path, tmp_path):
    steps = re.findall(r"^```(sh|python)\n(.*?)^```", path.read_text(), re.M | re.S)
    for folder in ("annotation", "corpus", "examples", "models"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    programs = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": programs + os.pathsep + os.environ["PATH"],
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        input=json.dumps(steps),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_exist(path):
    for words in named_commands(path.read_text()):
        command, rest = typer.main.get_command(app), words[1:]
        while rest and hasattr(command, "commands"):
            assert rest[0] in command.commands, " ".join(words)
            command, rest = command.commands[rest[0]], rest[1:]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        options = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert options <= known | {"--help"}, " ".join(words)


def named_commands(text):
    """Commands in code, cut at what ends a command."""
    fenced = re.findall(r"^```(?:sh|text|console|)\n(.*?)^```", text, re.M | re.S)
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = [line.removeprefix("$ ") for block in fenced for line in block.splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", plain)]
    for line in lines:
        if line.startswith("forewarn "):
            yield re.sub(r"""\s#\s.*|[|;&].*|['"]""", "", line).split()


def test_command_names_are_checked():
    text = "Run `forewarn score x\n--flat`.\n```text\nforewarn annotate pull a --home b # c\n```"
    assert list(named_commands(text)) == [
        ["forewarn", "annotate", "pull", "a", "--home", "b"],
        ["forewarn", "score", "x", "--flat"],
    ]


def test_site_is_built_without_a_warning(tmp_path):
    command = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--jobs", "auto"]
    done = subprocess.run(
        [sys.executable, *command, ROOT / "docs", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    commands = (tmp_path / "generated" / "commands.html").read_text()
    assert "forewarn annotate push" in commands and "--threshold" in commands
    assert "adjudicated spans" in (tmp_path / "develop.html").read_text()
    for label in labels.BY_NAME:
        assert label in (tmp_path / "scheme.html").read_text()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        page = tmp_path / "generated" / "notebooks" / f"{notebook.stem}.html"
        assert "cell_output" in page.read_text(), notebook.name


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(path):
    text = path.read_text()
    assert "@@" not in text
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        if not target.startswith("generated/"):  # those are checked as the site is built
            assert (path.parent / target).exists(), target
    for name in re.findall(r"`((?:src|corpus|tests|models|annotation|examples)/[\w./-]+\w)`", text):
        assert (ROOT / name).exists(), name


def test_readme_shows_the_main_things_within_its_first_screen():
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    for part in ("## Install", "$ forewarn score", "| stage | command | reads | writes |"):
        assert part in head


SCORE = re.compile(r"\b[01]\.\d\d\b")


def words_of(text):
    """All but the scores, which differ a little between processors, and white space."""
    return SCORE.sub("", text).split()


def scores_of(text):
    return [float(score) for score in SCORE.findall(text)]
