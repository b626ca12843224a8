"""Standings on the terminal, and as the two files that are kept."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.challenge.standings import Entry, Standings
from unmask.tables.writing import write_text

#: Lines of faults that the terminal lists of each refused entry; the page lists all that the check told.
_LISTED = 20
_COLUMNS = ("rank", "team", "score", "95 % interval", "rank range", "tier", "public")


def print_standings(standings: Standings, folder: Path) -> None:
    """Print the ranking, the refused entries with their faults, and where the files are."""
    console = Console(highlight=False)
    metric, page = standings.metric, folder / f"{standings.stem}.html"
    title = f"{standings.definition.name}: {metric.title}, {metric.direction} is better"
    part = "public and private part" if standings.usage == "all" else f"{standings.usage} part"
    rests = f"{part}: {standings.rows:,} of {standings.files:,} files; intervals over {standings.basis}"
    table = Table(title=Text(f"{title}\n{rests}"), title_justify="left")
    # Of the public part, the public score is the score itself.
    for column in _COLUMNS[:-1] if standings.usage == "public" else _COLUMNS:
        team = column == "team"
        table.add_column(column, justify="left" if team else "right", no_wrap=not team, overflow="fold")
    for entry in standings.entries:
        if entry.status == "scored":
            table.add_row(*map(Text, _cells(entry, standings.definition.digits)[: len(table.columns)]))
    console.print(table)
    for entry in standings.entries:
        if entry.status == "refused":
            console.print(Text(f"refused: {entry.team}", style="bold red"))
            for problem in entry.problems[:_LISTED]:
                console.print(Text(f"  {problem}"), soft_wrap=True)
            if len(entry.problems) > _LISTED:
                more = f"  ... and {len(entry.problems) - _LISTED:,} more lines, in {page} below the team's name"
                console.print(Text(more), soft_wrap=True)
    console.print(Text(f"wrote {page.with_suffix('.json')} and {page}"), soft_wrap=True)


def write_standings(standings: Standings, folder: str | Path) -> None:
    """Write the standings' JSON and HTML file into ``folder``."""
    from unmask.challenge.page import render  # pygal and jinja2 are slow to import

    page = render(standings)
    text = json.dumps(standings.to_dict(), indent=2, allow_nan=False) + "\n"
    write_text(text, Path(folder) / f"{standings.stem}.json")
    write_text(page, Path(folder) / f"{standings.stem}.html")


def _cells(entry: Entry, digits: int) -> list[str]:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    interval = "–" if entry.low is None else f"{told(entry.low)} to {told(entry.high)}"
    places = "–" if entry.rank_low is None else f"{entry.rank_low} to {entry.rank_high}"
    rank = "–" if entry.rank is None else str(entry.rank)
    tier = "–" if entry.tier is None else str(entry.tier)
    return [rank, entry.team, told(entry.score), interval, places, tier, told(entry.public_score)]
