"""challengeR: a table with the columns task, case, algorithm and value, for the R package of Wiesenfarth et al. 2021.

challengeR ranks, tests and draws anew by case, so it wants one number for each file and team. Of a metric that is a
mean over files, such as the log loss, that is the loss of the file; any other metric has no number for one file.

In R, with ids such as 001 and teams such as NA kept as they are, and ranked as unmask ranks::

    cases <- read.csv("cases.csv", colClasses = c("character", "character", "character", "numeric"), na.strings = "")
    as.challenge(cases, algorithm = "algorithm", case = "case", value = "value", smallBetter = TRUE) %>%
        aggregateThenRank(FUN = mean, ties.method = "min")
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl

from unmask.challenge.exporting.answers import harmless, to_csv
from unmask.challenge.exporting.archive import require_ending
from unmask.challenge.exporting.plain import log_losses, square_losses
from unmask.challenge.folder import SUBMISSIONS, Challenge
from unmask.challenge.submission import read_submission
from unmask.scoring.comparison.names import printable, stem
from unmask.tables.errors import ChallengeError, UnmaskError
from unmask.tables.writing import write_text

#: Metrics that are a mean over files.
MEANS = ("log_loss", "brier")


def export_challenger(challenge: Challenge, out: Path, usage: str) -> list[str]:
    """Write the losses of every file of a part, for every team whose submission is accepted.

    Args:
        challenge: whose submissions.
        out: a .csv.
        usage: the part: public, private or all.

    Returns:
        Who was left out, a sentence each.

    Raises:
        ChallengeError: the challenge's metric is not a mean over files, there is no submission, or ``out`` is no .csv.
    """
    said = challenge.definition
    require_ending(out, ".csv")
    if said.metric not in MEANS:
        raise ChallengeError(
            f"challengeR wants one number for each file, and {said.metric} has one for all files together",
            next_step=f"export a challenge whose metric is {' or '.join(MEANS)}, or the board with --to csv",
        )
    rows = challenge.rows(usage)
    table: list[tuple[object, ...]] = []
    left_out: list[str] = []
    for path, team, reason in _files(challenge):
        try:
            given = None if reason else read_submission(path, challenge.ids)
        except (UnmaskError, OSError):
            reason = "the file is refused: unmask challenge check says why"
        if reason or given is None:
            left_out.append(f"{team} is left out: {reason}")
            continue
        joined = rows.join(given, on="id", how="left", maintain_order="left")
        table += [
            (harmless(said.name), harmless(case), harmless(team), loss)
            for case, loss in zip(joined["id"], _losses(joined, said.metric, said.clip), strict=True)
        ]
    if not table:
        raise ChallengeError(
            "there is no submission that is accepted", where=challenge.folder / SUBMISSIONS,
            next_step="put one file for each team there",
        )  # fmt: skip
    write_text(to_csv(("task", "case", "algorithm", "value"), table), out)
    return left_out


def _files(challenge: Challenge) -> list[tuple[Path, str, str]]:
    """Each file with its team, and why it does not count; "" where it does."""
    folder = challenge.folder / SUBMISSIONS
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    repeated = Counter(stem(path) for path in files)
    return [(path, stem(path), "" if repeated[stem(path)] == 1 else f"{printable(path.name)} is not its only file")
            for path in files]  # fmt: skip


def _losses(joined: pl.DataFrame, metric: str, clip: float) -> list[float]:
    labels, scores = joined["label"].to_list(), joined["score"].to_list()
    return log_losses(labels, scores, clip) if metric == "log_loss" else square_losses(labels, scores)
