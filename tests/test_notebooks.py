"""The notebooks tell stories that hold: they import planner only, carry no outputs, and run from top to bottom."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_it_imports_planner_only_and_carries_no_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    tree = ast.parse("\n".join(cell.source for cell in code))
    imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) == {"planner"}


def test_there_are_three_and_each_tells_more_than_it_computes() -> None:
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        book = nbformat.read(path, as_version=4)
        kinds = [cell.cell_type for cell in book.cells]
        assert kinds[0] == "markdown"
        assert kinds.count("markdown") >= kinds.count("code") - 1


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # what a kernel warns of is not ours
@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_it_runs_from_top_to_bottom(path: Path) -> None:
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=300, kernel_name="python3").execute(cwd=str(path.parent))
    printed = [
        o.text for cell in book.cells if cell.cell_type == "code" for o in cell.outputs if o.output_type == "stream"
    ]
    assert len(printed) >= 3
