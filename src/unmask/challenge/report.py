"""Standings on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.challenge.standings import Entry, Standings

#: Faults of a refused entry that the terminal lists; the page lists more.
_LISTED = 5


def print_standings(standings: Standings, folder: Path) -> None:
    """Print the ranking, the refused entries with their faults, and where the files are."""
    console = Console(highlight=False)
    metric = standings.metric
    title = Text(f"{standings.definition.name}: {metric.title}, {metric.direction} is better, {standings.usage} part")
    table = Table(title=title, title_justify="left")
    for column in ("rank", "team", "score", "95 % interval", "rank range", "public"):
        team = column == "team"
        table.add_column(column, justify="left" if team else "right", no_wrap=not team, overflow="fold")
    for entry in standings.entries:
        if entry.status == "scored":
            table.add_row(*map(Text, _cells(entry, standings.definition.digits)))
    console.print(table)
    for entry in standings.entries:
        if entry.status == "refused":
            console.print(Text(f"refused: {entry.team}", style="bold red"))
            for problem in entry.problems[:_LISTED]:
                console.print(Text(f"  {problem}"), soft_wrap=True)
            if len(entry.problems) > _LISTED:
                console.print(f"  ... and {len(entry.problems) - _LISTED} more lines on the page")
    console.print(Text(f"wrote {folder / 'standings.json'} and {folder / 'standings.html'}"), soft_wrap=True)


def _cells(entry: Entry, digits: int) -> list[str]:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    interval = "–" if entry.low is None else f"{told(entry.low)} to {told(entry.high)}"
    places = "–" if entry.rank_low is None else f"{entry.rank_low} to {entry.rank_high}"
    rank = "–" if entry.rank is None else str(entry.rank)
    return [rank, entry.team, told(entry.score), interval, places, told(entry.public_score)]
