"""``unmask demo``: the whole road, from real portraits to a scored leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_HELP = """From real portraits and videos to a scored leaderboard.

Takes four to five minutes on two cores. Makes forgeries, indexes and audits them, finds faces, trains a detector,
scores it on people it never saw, and ranks it among other entries. A stopped demo goes on where it was.

Example: unmask demo --out demo
"""


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("demo", help=_HELP)(run)


def run(
    out: Annotated[Path, typer.Option(help="Folder that gets everything.")] = Path("demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer people, less training: one to two minutes.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the split, the forgeries and the training.")] = 0,
) -> None:
    """Run the demo."""
    from unmask.cli.demo_road import run_demo

    run_demo(out, seed=seed, quick=quick)
