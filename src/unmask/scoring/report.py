"""A scorecard on the terminal, and as the two files that are kept."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.scoring.scorecard import Scorecard
from unmask.tables.writing import write_text


def print_scorecard(card: Scorecard, folder: Path | None = None) -> None:
    """Print a short table, what has no answer, and where ``write_scorecard`` put the files."""
    console = Console(highlight=False)
    title = f"{card.fakes:,} fakes, {card.rows.height - card.fakes:,} reals; intervals over {card.basis}"
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column(f"{100 * card.protocol.confidence:g} % interval", justify="right")
    table.add_column("better")
    stated = card.stated
    for found in card.metrics.values():
        if not found.metric.headline:
            continue
        value = "undefined" if found.value is None else f"{found.value:.4f}"
        interval = found.reason if found.low is None else f"{found.low:.4f} to {found.high:.4f}"
        title = found.metric.title + stated.get(found.metric.name, "")
        table.add_row(title, value, Text(interval or ""), found.metric.direction)
    console.print(table)
    if card.coverage < 1:
        missing = card.expected - card.rows.height
        console.print(f"{missing:,} of {card.expected:,} ids have no answer:", style="bold red")
        for reason, count in card.reasons.items():
            console.print(Text(f"  {count:,} x {reason}"))
    if folder is not None:
        console.print(Text(f"wrote {folder / 'scorecard.json'} and {folder / 'scorecard.html'}"), soft_wrap=True)


def write_scorecard(card: Scorecard, folder: str | Path, *, name: str) -> None:
    """Write ``scorecard.json`` and ``scorecard.html`` into ``folder``, which is made where it does not stand.

    Args:
        card: what to write.
        folder: where to.
        name: of the predictions, as the page tells it.
    """
    from unmask.scoring.page import render  # pygal and jinja2 cost a third of a second: only where a page is wanted

    page = render(card, name=name)
    write_text(card.to_json(), Path(folder) / "scorecard.json")
    write_text(page, Path(folder) / "scorecard.html")
