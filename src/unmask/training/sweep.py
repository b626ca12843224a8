"""The jobs of a sweep, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from unmask.tables.errors import UnmaskError
from unmask.training.compose import Job
from unmask.training.figures import validation_auc

#: The columns that are no overrides, and their types.
FIGURES = {
    "val_auc": pl.Float64,
    "test_auc": pl.Float64,
    "test_auc_low": pl.Float64,
    "test_auc_high": pl.Float64,
    "error": pl.String,
}


def comparison(jobs: Sequence[Job]) -> pl.DataFrame:
    """One row a job, best first, those that failed last.

    Args:
        jobs: of one sweep.

    Returns:
        ``job``, a column for each key whose value differs between jobs, and ``FIGURES``: the best epoch's AUC on
        validation (crop level; null for ``fit=head``), the test split's AUC with its interval (file level; null where
        it was not scored), and what ended a job that failed. Best is by the column that ``ranked_by`` names.
    """
    keys = list(dict.fromkeys(key for job in jobs for key in job.overrides))
    varying = [key for key in keys if len({job.overrides.get(key) for job in jobs}) > 1]
    rows = [
        {"job": job.number, **{key: job.overrides.get(key) for key in varying}, **_figures(job)}
        for job in sorted(jobs, key=lambda job: job.number)
    ]
    schema = {"job": pl.Int64, **dict.fromkeys(varying, pl.String), **FIGURES}
    found = pl.DataFrame(rows, schema=schema)
    return found.sort(
        pl.col("error").is_not_null(),
        ranked_by(found),
        descending=[False, True],
        nulls_last=True,
        maintain_order=True,
    )


def ranked_by(found: pl.DataFrame) -> str:
    """The column by which jobs are compared: ``val_auc`` where every job that ended well has it, else ``test_auc``."""
    ended = found.filter(pl.col("error").is_null())
    return "test_auc" if ended["val_auc"].null_count() else "val_auc"


def error_line(error: Exception) -> str:
    """What ended a job, in one line."""
    return " ".join(error.what.split()) if isinstance(error, UnmaskError) else f"{type(error).__name__}: {error}"


def _figures(job: Job) -> dict[str, float | str | None]:
    if job.error is not None:
        return {"error": error_line(job.error)}
    return {"val_auc": validation_auc(job.out), **_test(job.out / "scorecard.json")}


def _test(path: Path) -> dict[str, float | None]:
    if not path.is_file():
        return {}
    auc = json.loads(path.read_text(encoding="utf-8"))["metrics"]["roc_auc"]
    return {"test_auc": auc.get("value"), "test_auc_low": auc.get("low"), "test_auc_high": auc.get("high")}
