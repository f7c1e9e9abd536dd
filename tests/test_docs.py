"""What the documentation shows is what happens: its code is run, its output compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("[acm]*/*.md"))]


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
        assert squeezed(done.stdout) == squeezed(shown)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (path.parent / target).exists(), target
    for name in re.findall(r"`((?:src|corpus|tests|models|annotation|examples)/[\w./-]+\w)`", text):
        assert (ROOT / name).exists(), name


def test_readme_shows_the_main_things_within_its_first_screen():
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    for part in ("## Install", "$ forewarn score", "| stage | command | reads | writes |"):
        assert part in head


def squeezed(text):
    """White space at line ends apart; scores may differ in the last digit between processors."""
    lines = (line.rstrip() for line in text.strip().splitlines())
    return [re.sub(r"\b([01]\.\d)\d\b", r"\1", line) for line in lines]
