"""The notebooks run from first to last cell, and are committed as a run leaves them."""

import os
import sys
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_all_notebooks_are_there():
    assert [path.name[0] for path in NOTEBOOKS] == list("1245")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_with_its_outputs(path):
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs and not [o for o in outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    for foreign in (str(ROOT), "/tmp/", "/home/", "/root/"):
        assert foreign not in path.read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", beside)
    studio = os.environ.get("FOREWARN_LABEL_STUDIO", str(ROOT / ".venv-label-studio"))
    monkeypatch.setenv("FOREWARN_LABEL_STUDIO", studio)
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    ran = NotebookClient(notebook, timeout=900, kernel_name="python3", resources=where).execute()
    for before, after in zip(nbformat.read(path, as_version=4).cells, ran.cells, strict=True):
        if before.cell_type == "code":
            assert kinds_of(before) == kinds_of(after), before.source


def kinds_of(cell):
    """What a cell gives; a stream may come in one piece or in several."""
    return [kind for kind, _ in groupby(output.output_type for output in cell.outputs)]
