"""A scorecard on the terminal, and as the two files that are kept."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.scoring.fairness import Fairness
from unmask.scoring.operating import Application
from unmask.scoring.rates import Rate
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
    if card.application is not None:
        _print_points(console, card.application)
    for column, groups in card.fairness.items():
        _print_fairness(console, column, groups, card.protocol.settings.threshold)
    for remark in card.remarks:
        console.print(Text(remark, style="bold red"), soft_wrap=True)
    if card.coverage < 1:
        missing = card.expected - card.rows.height
        console.print(f"{missing:,} of {card.expected:,} ids have no answer:", style="bold red")
        for reason, count in card.reasons.items():
            console.print(Text(f"  {count:,} x {reason}"))
    if folder is not None:
        console.print(Text(f"wrote {folder / 'scorecard.json'} and {folder / 'scorecard.html'}"), soft_wrap=True)


#: What is told of where a promised rate lies.
_PROMISES = {"inside": "kept", "above": "broken", "below": "stricter", None: "no reals"}


def _print_points(console: Console, application: Application) -> None:
    """The thresholds of a policy, each with what it promised and where it landed."""
    table = Table(title=f"Thresholds of the policy ({application.policy.calibration.method})", title_justify="left")
    for heading in ("raw score", "promised FPR", "FPR here", "promise", "TPR here"):
        table.add_column(heading, justify="right")
    for point in application.points:
        table.add_row(
            f"{point.threshold.raw_score:.6g}", f"{point.threshold.promised_fpr:g}", _rate(point.fpr),
            _PROMISES[point.promise], _rate(point.tpr),
        )  # fmt: skip
    console.print(table)
    if application.overlap:
        told = f"{application.overlap:,} of the files were in the validation that the policy was fitted on"
        console.print(told, style="bold red")


def _print_fairness(console: Console, column: str, found: Fairness, threshold: float) -> None:
    """The largest gaps between the groups of a column."""
    for name, gap in (("FPR", found.fpr_gap), ("TPR", found.tpr_gap)):
        what = f"largest gap in {name} at {threshold:.6g} between groups of {column}"
        if gap.value is None:
            told = f"undefined ({gap.reason})"
        else:
            ends = gap.reason if gap.low is None or gap.high is None else _ends((gap.low, gap.high))
            told = f"{gap.value:.3g} ({ends}): highest {gap.highest}, lowest {gap.lowest}"
        console.print(Text(f"{what}: {told}"), soft_wrap=True)


def _rate(rate: Rate) -> str:
    return "undefined" if rate.value is None else f"{rate.value:.3g} ({_ends(rate.interval)})"


def _ends(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}"


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
