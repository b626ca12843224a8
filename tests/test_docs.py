"""The documents do what they say: commands run, links lead somewhere. CONTRIBUTING.md states the conventions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = sorted(
    {*DOCUMENTS, *ROOT.glob("*.md"), *(ROOT / "data").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")},
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!-- (not run|exit code): *(.+?) *-->\s*\Z")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|a)\b[^>]*\b(?:src|href)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """Commands that a document tells its reader to run."""

    line: int
    script: str
    skipped: str | None
    exit_code: int


def commands(language: str, body: str) -> str:
    """The script in a block: all of a ``bash`` one; of a ``console`` one, what stands behind ``$`` and ``>``."""
    if language == "bash":
        return body
    return "\n".join(line[2:] for line in body.splitlines() if line.startswith(("$ ", "> ")))


def blocks(text: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(text):
        if match["language"] not in ("bash", "console"):
            continue
        mark = _MARK.search(text[: match.start()])
        skipped = mark[2] if mark and mark[1] == "not run" else None
        code = int(mark[2]) if mark and mark[1] == "exit code" else 0
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(line, commands(match["language"], match["body"]), skipped, code))
    return found


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_commands_of_a_document_run(path, tmp_path):
    todo = [block for block in blocks(path.read_text(encoding="utf-8")) if block.skipped is None]
    if not todo:
        pytest.skip("it has no command that can run here")
    place = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    for block in todo:
        shell = ["bash", "-euo", "pipefail", "-c", block.script]
        done = subprocess.run(shell, capture_output=True, text=True, cwd=tmp_path, env=place, timeout=600)
        said = f"{path.name}:{block.line} leaves with {done.returncode}\n{block.script}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == block.exit_code, said


def test_the_organizers_walk_is_run():
    """A slip in the markers must not turn the test above into one that runs nothing."""
    runs = [block for block in blocks((ROOT / "docs" / "challenge.md").read_text()) if block.skipped is None]
    assert len(runs) >= 7
    for verb in ("init", "check", "score", "rank", "export"):
        assert any(f"unmask challenge {verb}" in block.script for block in runs)


def test_blocks_are_read_as_contributing_says():
    text = "\n".join(
        [
            "```bash", "one", "```", "<!-- not run: needs data -->", "", "```bash", "two", "```", "",
            "<!-- exit code: 2 -->", "```console", "$ three \\", ">   four", "output", "$ five", "```",
            "```python", "six", "```", "```", "seven", "```",
        ]
    )  # fmt: skip
    assert [(block.script.strip(), block.skipped, block.exit_code) for block in blocks(text)] == [
        ("one", None, 0), ("two", "needs data", 0), ("three \\\n  four\nfive", None, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    links = [one or two for one, two in _LINK.findall(without_code(path.read_text(encoding="utf-8")))]
    files = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link) and not link.startswith("#")]
    assert [link for link in files if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_names_a_place_on_one_machine(path):
    assert re.findall(r"/(?:root|home|Users)/\w+", path.read_text(encoding="utf-8")) == []


def verbs_named(text: str) -> set[str]:
    """The verbs behind ``unmask`` in blocks of code and in backquotes."""
    code = "\n".join(
        [match["body"] for match in _FENCE.finditer(text)] + re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    )
    return set(re.findall(r"^(?: *|\$ |\S+=\S+ |\S*/)unmask ([a-z]+)\b", code, re.MULTILINE))


def test_every_verb_that_is_named_is_there():
    command = Path(sys.executable).with_name("unmask")
    told = subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    there = set(re.findall(r"^\W+([a-z]+)  ", told, re.MULTILINE))
    named = {path.name: verbs_named(path.read_text(encoding="utf-8")) - there for path in PAGES}
    assert {name: wrong for name, wrong in named.items() if wrong} == {}
    asked = {"datasets", "index", "audit", "prepare", "faces", "train", "predict", "score", "challenge", "demo"}
    assert asked <= there
    assert asked <= verbs_named((ROOT / "README.md").read_text(encoding="utf-8"))
