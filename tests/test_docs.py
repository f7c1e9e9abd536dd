"""What the documentation shows is what happens: its code is run, its output compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("[acmn]*/**/*.md"))]


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


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(path):
    text = path.read_text()
    assert "@@" not in text
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
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
