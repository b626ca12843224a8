"""A policy that was just made, on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.scoring.freezing import COMPARED, Frozen
from unmask.scoring.metrics import METRICS
from unmask.scoring.metrics.decisions import share_of_fakes

#: From how far on the mean score misses the share of fakes, other methods are hinted at.
_FAR = 0.05


def print_frozen(frozen: Frozen, path: Path) -> None:
    """Print what the fit gained, the thresholds, what could not be promised, and where the policy is."""
    policy, console = frozen.policy, Console(highlight=False)
    validation, calibration = policy.validation, policy.calibration
    table = Table(title=f"{validation.fakes:,} fakes, {validation.reals:,} reals of validation", title_justify="left")
    for heading in ("metric", "raw", "calibrated"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for name in COMPARED:
        table.add_row(METRICS[name].title, f"{frozen.before[name]:.4f}", f"{frozen.after[name]:.4f}")
    table.add_row("Mean score", f"{frozen.before['mean']:.4f}", f"{frozen.after['mean']:.4f}")
    console.print(table)
    if calibration.method != "none":
        fitted = " and ".join(f"{name} {value:.4g}" for name, value in calibration.parameters.items())
        console.print(f"  fitted on these rows, which flatters the calibrated scores: {fitted}")
    share = validation.fakes / (validation.fakes + validation.reals)
    if calibration.method == "temperature" and abs(frozen.after["mean"] - share) > _FAR:
        console.print(f"  the share of fakes is {share:.4f}: --method platt would bring the mean there")
    table = Table(title="Called fake at or above", title_justify="left")
    for heading in (
        "promised FPR",
        "raw score",
        "calibrated",
        "FPR here",
        "TPR here",
        f"precision at {policy.prevalence:g}",
    ):
        table.add_column(heading, justify="right")
    for each in policy.thresholds:
        pure = float(share_of_fakes(each.validation_tpr, each.validation_fpr, policy.prevalence))
        table.add_row(
            f"{each.promised_fpr:g}", f"{each.raw_score:.6g}", f"{each.calibrated_score:.6g}",
            f"{each.validation_fpr:.4g}", f"{each.validation_tpr:.4g}", f"{pure:.4g}",
        )  # fmt: skip
    console.print(table)
    if validation.unanswered:
        console.print(f"{validation.unanswered:,} ids have no answer and count for nothing", style="bold red")
    for reason in frozen.unclaimed.values():
        console.print(f"not promised: {reason}")
    console.print(Text(f"wrote {path}"), soft_wrap=True)
