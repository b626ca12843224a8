"""``unmask train``: hand Hydra's overrides to the training run."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from polars import DataFrame

    from unmask.training.compose import Job

_HELP = """Train a detector.

The arguments are Hydra overrides of configs/train.yaml.
Writes config.yaml, model/ and, on the manifest's test split, predictions.csv and scorecard.html into the folder
`out=...`; unless `fit=head`, also checkpoints/ and logs/. A sweep does so for each of its jobs, and writes sweep.csv.

Examples:

\b
    unmask train manifest=manifest.parquet store=faces out=run
    unmask train experiment=demo manifest=manifest.parquet store=faces seed=1
    unmask train -m manifest=manifest.parquet store=faces optimizer.learning_rate=1e-4,3e-4
    unmask train -m sweep=optuna manifest=... store=... 'optimizer.learning_rate=tag(log, interval(1e-5, 1e-2))'
    unmask train detector=timm --cfg job  (show every key, and what would run)
    unmask train manifest=manifest.parquet store=faces out=run resume=run/checkpoints/last.ckpt
"""

#: Characters in a line of the overrides' list: it fits into a terminal of 80.
_WIDTH = 76


class Shown(StrEnum):
    """What ``--cfg`` shows."""

    job = "job"
    hydra = "hydra"
    all = "all"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("train", cls=_WithOverrides, help=_HELP)(run)


class _WithOverrides(TyperCommand):
    """Its help lists what can be overridden, read from the files only when it is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # typer's own types are click's, or its copies of them
        """Write the help, with a line for each option of a group and for each key."""
        self.help = _HELP + _overrides_help()
        super().format_help(ctx, formatter)


def _overrides_help() -> str:
    r"""Groups with their options, and keys with defaults and meanings: blocks whose lines a ``\b`` keeps apart."""
    from unmask.training.options import defaults, explained_keys, groups

    chosen = defaults()
    options = [
        (group, f"{', '.join(names)}  (default: {chosen.get(group) or 'none'})") for group, names in groups().items()
    ]
    keys = [(key.name, f"{key.comment} ({_default(key.value)})") for key in explained_keys()]
    return (
        f"\nGROUP=OPTION takes one of the files in configs/:\n\n\b\n{_listed(options)}\n"
        f"\nKEY=VALUE changes one key; `--cfg job` shows them all:\n\n\b\n{_listed(keys)}\n"
    )


def _default(value: str) -> str:
    return {"???": "must be given", "null": "default: none"}.get(value, f"default: {value}")


def _listed(rows: Sequence[tuple[str, str]]) -> str:
    column = max(len(name) for name, _ in rows) + 2
    return "\n".join(
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"    {name:<{column}}",
            subsequent_indent=" " * (column + 4),
            break_on_hyphens=False,
        )
        for name, text in rows
    )


def run(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="OVERRIDES", help="GROUP=OPTION and KEY=VALUE, as listed above.")
    ] = None,
    multirun: Annotated[
        bool, typer.Option("--multirun", "-m", help="A sweep: one job for each combination of KEY=VALUE,VALUE,...")
    ] = False,
    cfg: Annotated[Shown | None, typer.Option("--cfg", "-c", help="Show the configuration and run nothing.")] = None,
    config_dir: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="A folder of your own with more options, such as experiment/mine.yaml."
        ),
    ] = None,
) -> None:
    """Train a detector."""
    from unmask.training.compose import run_with_overrides
    from unmask.training.run import train

    if multirun and cfg:
        raise typer.BadParameter("--cfg shows one job: leave -m out, and give each key one value")

    def job(config: DictConfig, out: Path) -> None:
        typer.echo(f"model: {train(config, out)}")
        scorecard = out / "scorecard.json"
        if scorecard.is_file():
            auc = json.loads(scorecard.read_text(encoding="utf-8"))["metrics"]["roc_auc"]
            told = auc.get("reason") or f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
            typer.echo(f"test AUC: {told}, see {out / 'scorecard.html'}")

    options = [
        *(["--multirun"] if multirun else []),
        *([f"--cfg={cfg.value}"] if cfg else []),
        *([f"--config-dir={config_dir}"] if config_dir else []),
    ]
    jobs = run_with_overrides([*options, *(overrides or [])], job)
    if multirun:
        _compare(jobs)


def _compare(jobs: Sequence[Job]) -> None:
    """Print the jobs of a sweep side by side, write ``sweep.csv``, and fail if one of them did."""
    from unmask.tables.errors import ConfigError, UnmaskError
    from unmask.tables.writing import write_table
    from unmask.training.sweep import comparison, error_line

    failed = [job for job in jobs if job.error]
    folder = jobs[0].out.parent
    if len(failed) < len(jobs):  # a sweep that was refused must not write over the table of the one before
        found = comparison(jobs)
        write_table(found, folder / "sweep.csv")
        _print(found)
        typer.echo(f"wrote {folder / 'sweep.csv'}")
    if failed:
        first = failed[0].error
        remedy = first.next_step if isinstance(first, UnmaskError) else None
        listed = [f"  job {job.number}: {error_line(job.error)}" for job in failed if job.error]
        raise ConfigError(
            "\n".join([f"{len(failed)} of {len(jobs)} jobs failed:", *listed]),
            where=folder,
            next_step=remedy or "run the job alone, without -m and with --debug",
        ) from first


def _print(found: DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from unmask.training.sweep import FIGURES, ranked_by

    by_validation = ranked_by(found) == "val_auc"
    title = "best validation AUC first" if by_validation else "best test AUC first: a choice made by it will flatter"
    keys = [name for name in found.columns if name not in FIGURES]
    table = Table(*keys, "validation AUC", "test AUC", "interval", title=title, title_justify="left")
    for row in found.iter_rows(named=True):
        figures = ["failed", "", ""] if row["error"] is not None else _told(row)
        table.add_row(*(Text(str(row[key])) for key in keys), *figures)
    Console(highlight=False).print(table)


def _told(row: dict[str, Any]) -> list[str]:
    validation, test, low, high = (
        "–" if row[name] is None else f"{row[name]:.3f}"
        for name in ("val_auc", "test_auc", "test_auc_low", "test_auc_high")
    )
    return [validation, test, f"{low} to {high}"]
