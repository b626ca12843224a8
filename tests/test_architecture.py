"""The map of the house: who may import whom, and what must stay light."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "unmask"

#: Package to the packages of ours that it may import. ``cli`` may import all of them, inside a command.
MAY_IMPORT = {
    "tables": "",
    "scoring": "tables",
    "challenge": "tables scoring",
    "host": "tables scoring challenge",
    "media": "tables",
    "assets": "tables",
    "datasets": "tables media scoring",
    "faces": "tables media assets scoring",
    "forgery": "tables media faces assets",
    "detectors": "",
    "loading": "tables media faces forgery",
    "inference": "tables media faces loading detectors",
    "training": "tables scoring faces loading detectors inference",
    "review": "tables scoring inference",
}
TABLE = {package: frozenset(allowed.split()) for package, allowed in MAY_IMPORT.items()}

#: Packages that make up the base install, and what they may not import, not even in a function.
LIGHT = ("tables", "scoring", "challenge", "host")
HEAVY = {
    "torch", "torchvision", "timm", "pytorch_lightning", "lightning", "hydra", "omegaconf", "pandas", "sklearn",
    "scipy", "cv2", "PIL", "av", "decord", "albumentations", "onnx", "onnxruntime", "pyarrow", "wandb", "safetensors",
}  # fmt: skip
PACKAGES = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
FILES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module of ours."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module: str) -> str:
    """``unmask.scoring.metrics`` is in "scoring"; ``unmask`` itself is in ""."""
    return [*module.split("."), ""][1]


MODULES = {name_of(path) for path in FILES}


def targets(node: ast.AST, module: str, *, is_package: bool = False) -> list[str]:
    """The modules that one statement imports, in full."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parts = module.split(".") if is_package else module.split(".")[:-1]
        base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
    # ``from unmask.scoring import metrics`` imports a module, ``from unmask.scoring import score`` a name in one.
    return [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that importing the module runs: not inside functions, not for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or is_type_checking(node):
            continue
        yield node
        yield from run_at_import(node)


def imports(path: Path, *, at_import: bool = False) -> set[str]:
    """What a file imports anywhere; with ``at_import``, only what importing it does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = run_at_import(tree) if at_import else ast.walk(tree)
    is_package = path.name == "__init__.py"
    return {name for node in nodes for name in targets(node, name_of(path), is_package=is_package)}


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "unmask"}


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph, first node repeated at the end; empty where there is none."""
    done: set[str] = set()

    def visit(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for after in sorted(graph.get(node, ())):
            found = visit(after, [*way, node])
            if found:
                return found
        done.add(node)
        return []

    return next((cycle for node in sorted(graph) if (cycle := visit(node, []))), [])


def test_every_package_is_on_the_map():
    assert set(PACKAGES) - {"cli"} <= set(TABLE), "a new package needs its line in MAY_IMPORT and in CONTRIBUTING.md"
    assert {"tables", "scoring", "challenge", "training", "cli"} <= set(PACKAGES)


def test_the_map_has_no_cycle():
    assert find_cycle({package: set(allowed) for package, allowed in TABLE.items()}) == []


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "cli"])
def test_a_package_imports_only_what_it_may(package):
    allowed = TABLE[package] | {package, ""}
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for name in sorted(ours(imports(path)))
        if package_of(name) not in allowed
    ]
    assert wrong == []


def test_what_is_there_has_no_cycle():
    packages: dict[str, set[str]] = {package: set() for package in PACKAGES}
    for path in SOURCE.glob("*/**/*.py"):
        package = package_of(name_of(path))
        packages[package] |= {package_of(name) for name in ours(imports(path))} - {package, ""}
    assert find_cycle(packages) == []
    # Modules of one package may know each other if one of the two waits until a function runs.
    modules = {name_of(path): ours(imports(path, at_import=True)) - {name_of(path)} for path in FILES}
    assert find_cycle(modules) == []


def test_only_the_version_is_taken_from_the_root():
    wrong = [
        f"{name_of(path)} takes {alias.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "unmask" and not node.level
        for alias in node.names
        if alias.name != "__version__" and f"unmask.{alias.name}" not in MODULES
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [path for name in LIGHT for path in (SOURCE / name).rglob("*.py")], ids=name_of)
def test_the_base_install_stays_light(path):
    assert {name.split(".")[0] for name in imports(path)} & HEAVY == set()


def loaded_by(module: str) -> set[str]:
    """The modules of ours that importing ``module`` loads."""
    paths = {name_of(path): path for path in FILES}
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += ours(imports(paths[name], at_import=True))
    return found


def test_starting_the_command_line_imports_nothing_heavy():
    """Files of ``cli`` that only a running command imports, such as ``progress``, are free."""
    loaded = loaded_by("unmask.cli.main")
    assert {name for name in loaded if package_of(name) not in ("", "cli")} <= {"unmask.tables.errors", "unmask.tables"}
    outside = {
        f"{name_of(path)} imports {name}"
        for path in FILES
        if name_of(path) in loaded
        for name in imports(path, at_import=True)
        if name.split(".")[0] not in {"unmask", "typer", *sys.stdlib_module_names}
    }
    assert outside == set()


def test_a_command_is_one_file_that_registers_itself():
    text = (SOURCE / "cli" / "main.py").read_text(encoding="utf-8")
    for path in (SOURCE / "cli").glob("*.py"):
        if "def register(" in path.read_text(encoding="utf-8"):
            assert re.search(rf"\bfor verb in \([^)]*\b{path.stem}\b[^)]*\):", text), f"{path.name} is not in main.py"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path.name} has no docstring"


def test_the_map_in_contributing_is_this_one():
    text = (SOURCE.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line]
    stated = {row[0]: frozenset(row[2].replace("`", "").split()) for row in rows if row[0] in TABLE}
    assert {name: allowed - {"nothing"} for name, allowed in stated.items()} == {
        name: allowed for name, allowed in TABLE.items() if name in PACKAGES
    }
