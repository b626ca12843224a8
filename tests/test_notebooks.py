"""Notebooks run from top to bottom on a CPU, and are kept without what came out."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What may be imported where only the base install is asked for.
BASE = {"unmask.tables", "unmask.scoring", "unmask.challenge", "numpy", "polars", "IPython"}

#: What each one must find: the sentences around it say so.
FINDS = {
    "01_score_and_compare": ["nearer to the truth: by people"],
    "02_look_at_a_dataset": ["gives the label away: bytes", "gives the label away: nothing"],
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_run(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    streams = [out for cell in cells for out in cell.outputs if out.output_type == "stream"]
    assert [out.text for out in streams if out.name == "stderr"] == []
    printed = "".join(out.text for out in streams)
    assert [line for line in FINDS[path.stem] if line not in printed] == []
    assert list(tmp_path.iterdir()) == [], "a notebook leaves files in the reader's folder"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_kept(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs, "run scripts/clear-notebooks"
            assert cell.execution_count is None, "run scripts/clear-notebooks"


def test_clearing_changes_nothing_that_is_kept(tmp_path):
    copies = [Path(shutil.copy(path, tmp_path)) for path in NOTEBOOKS]
    subprocess.run([sys.executable, ROOT / "scripts" / "clear-notebooks", *copies], check=True)
    assert [copy.read_bytes() for copy in copies] == [path.read_bytes() for path in NOTEBOOKS]


def test_scoring_needs_the_base_install_only():
    notebook = nbformat.read(ROOT / "notebooks" / "01_score_and_compare.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    names = [node.module for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import) for alias in node.names]
    outside = [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    wrong = [name for name in outside if not any(f"{name}.".startswith(f"{base}.") for base in BASE)]
    assert wrong == []
