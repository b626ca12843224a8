"""A comparison on the terminal, and as the two files that are kept."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.scoring.comparison.comparison import Comparison, System
from unmask.tables.writing import write_text


def print_comparison(comparison: Comparison, folder: Path | None = None) -> None:
    """Print the ranking, what a reader must know of it, and where ``write_comparison`` put the files."""
    console = Console(highlight=False)
    metric, rows = comparison.metric, comparison.rows.height
    rests = f"{comparison.fakes:,} fakes, {rows - comparison.fakes:,} reals; intervals over {comparison.basis}"
    table = Table(title=Text(f"{metric.title}, {metric.direction} is better\n{rests}"), title_justify="left")
    interval = f"{100 * comparison.protocol.confidence:g} % interval"
    for column in ("rank", "system", "value", interval, "rank range", "first", "tier"):
        system = column == "system"
        table.add_column(column, justify="left" if system else "right", no_wrap=not system, overflow="fold")
    for each in comparison.systems:
        table.add_row(*map(Text, _cells(each)))
    console.print(table)
    for each in comparison.systems:
        if each.reason is not None:
            console.print(Text(f"{each.name}: {each.reason}"), soft_wrap=True)
    for note in comparison.notes:
        console.print(Text(f"note: {note}", style="bold red"), soft_wrap=True)
    if comparison.kendall_tau is not None:
        console.print(f"agreement of the draws with this ranking (mean Kendall tau): {comparison.kendall_tau:.3f}")
    if comparison.cross_check is not None:
        console.print(Text(f"cross-check: {comparison.cross_check}"), soft_wrap=True)
    if folder is not None:
        told = f"wrote {folder / 'comparison.json'} and {folder / 'comparison.html'}"
        console.print(Text(told), soft_wrap=True)


def write_comparison(comparison: Comparison, folder: str | Path) -> None:
    """Write ``comparison.json`` and ``comparison.html`` into ``folder``, which is made where it does not stand."""
    from unmask.scoring.comparison.page import render  # pygal and jinja2 cost a third of a second

    page = render(comparison)
    write_text(comparison.to_json(), Path(folder) / "comparison.json")
    write_text(page, Path(folder) / "comparison.html")


def _cells(system: System) -> list[str]:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.4f}"

    interval = "–" if system.low is None else f"{told(system.low)} to {told(system.high)}"
    places = "–" if system.rank_low is None else f"{system.rank_low} to {system.rank_high}"
    first = "–" if system.first is None else f"{100 * system.first:.1f} %"
    rank, tier = ("–" if number is None else str(number) for number in (system.rank, system.tier))
    return [rank, system.name, told(system.value), interval, places, first, tier]
