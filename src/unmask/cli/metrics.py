"""``unmask metrics``: what can be measured, and how each number is defined."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("metrics")(metrics)


def metrics(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show the full definition of this one.")] = None,
) -> None:
    """List the metrics of `unmask score`, or define one.

    A definition has the formula, the range, edge cases and the source.

    Example: unmask metrics recall_at_budget
    """
    from rich.console import Console
    from rich.table import Table

    from unmask.scoring.metrics import METRICS
    from unmask.tables.errors import UnmaskError
    from unmask.tables.reading import shown

    if name is None:
        table = Table(box=None, pad_edge=False)
        table.add_column("name", no_wrap=True)
        for heading in ("better", "range", "what it says"):
            table.add_column(heading)
        for metric in METRICS.values():
            table.add_row(metric.name, metric.direction, metric.range, metric.description)
        Console(highlight=False).print(table)
        return
    if name not in METRICS:
        raise UnmaskError(f"there is no metric {shown(name)}", next_step=f"give one of {', '.join(METRICS)}")
    metric = METRICS[name]
    typer.echo(f"{metric.name}: {metric.title}. {metric.direction.capitalize()} is better; range {metric.range}.\n")
    typer.echo(inspect.getdoc(metric.definition))
