"""The modules of ``unmask.challenge`` import each other in one direction, inside functions, too."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import unmask.challenge

PACKAGE = "unmask.challenge."


def imported(path):
    """The modules of the package that a module of it imports, wherever in its text."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {node.module.removeprefix(PACKAGE) for node in nodes if (node.module or "").startswith(PACKAGE)}


def test_no_cycle():
    modules = {path.stem: imported(path) for path in Path(unmask.challenge.__file__).parent.glob("*.py")}
    assert modules["page"] == {"folder", "standings"}
    order = list(TopologicalSorter(modules).static_order())  # raises CycleError with the cycle
    assert order.index("standings") < order.index("page") < order.index("report") < order.index("ranking")
