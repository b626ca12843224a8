"""A new challenge from a manifest or an answer key."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.challenge.definition import DEFINITION, Definition, write_definition
from unmask.challenge.folder import NAMES, SAMPLE, SUBMISSIONS, Challenge, open_challenge
from unmask.challenge.ids import new_names
from unmask.challenge.parts import split_parts
from unmask.challenge.rules import meant
from unmask.challenge.texts import FILES, write_pages
from unmask.scoring.metrics import METRICS
from unmask.tables.answers import NOT_SLICES, read_answers, write_answers
from unmask.tables.audited import require_clean
from unmask.tables.errors import ChallengeError
from unmask.tables.hashing import sha256
from unmask.tables.predictions import write_predictions
from unmask.tables.writing import write_table

#: What of a manifest's columns goes into the answer key beside its slices: the last two say what its clusters are.
_KEPT = ("id", "label", "usage", "cluster", "subject_id", "source_id")


def create(
    folder: str | Path,
    manifest: str | Path,
    *,
    split: str | None = "test",
    public: float = 0.4,
    ignored: float = 0.0,
    name: str | None = None,
    metric: str = "roc_auc",
    seed: int = 0,
    new_ids: bool = False,
    audit: str | Path | None = None,
) -> Challenge:
    """Make a challenge: ``challenge.yaml``, ``answers.csv``, ``sample_submission.csv``, pages and ``submissions/``.

    The rows of both tables are sorted by id, so that their order tells nothing that the ids do not. A drawn order
    would: entrants know the seed, and could turn the draw back into the order of the manifest.

    Args:
        folder: where to; must not hold a challenge yet.
        manifest: a manifest, or an answer key; its own column ``usage`` is replaced.
        split: which split of the manifest; None for all rows.
        public: share of the rows that is public, between 0 and 1; whole clusters, each class and method alike.
        ignored: share of the rows that teams must answer and that count for nothing, from 0; below 1 with ``public``.
        name: of the challenge; the folder's where None.
        metric: the primary metric, one of ``METRICS``.
        seed: of the split and the bootstrap.
        new_ids: give every file a new id that tells nothing, and write ``names.csv`` for the organizer: the columns id,
            original_id, and path where the manifest has it.
        audit: ``audit.json`` without findings, of this manifest and of any others, such as the training data.

    Raises:
        ChallengeError: there is a challenge already, a parameter is out of its range, or the rows cannot be split.
        ConfigError: the audit has findings, or is not of this manifest.
        TableError: the manifest breaks its schema.
    """
    folder = Path(folder)
    if (folder / DEFINITION).exists():
        raise ChallengeError(
            "there is a challenge already", where=folder / DEFINITION,
            next_step="give another folder, or remove this one yourself",
        )  # fmt: skip
    if not 0.0 < public < 1.0:
        raise ChallengeError(f"the public share {public!r} is not between 0 and 1", next_step="give one such as 0.4")
    if not 0.0 <= ignored < 1.0 - public:
        what = f"the ignored share {ignored!r} is below 0, or leaves nothing to the private part"
        raise ChallengeError(what, next_step="give one such as 0.1")
    if metric not in METRICS:
        raise ChallengeError(
            f"there is no metric {metric!r}", next_step=f"{meant(metric, METRICS)}give one that unmask metrics lists"
        )
    if audit is not None:
        require_clean(Path(audit), [Path(manifest)], without="leave out --audit", more_may_be_audited=True)
    key = read_answers(manifest, split=split)
    names = _renamed(key) if new_ids else None
    if names is not None:
        own = pl.col("cluster") == pl.col("id")
        fresh = names["id"]
        key = key.with_columns(id=fresh, cluster=pl.when(own).then(fresh).otherwise("cluster"))
    key = key.with_columns(usage=split_parts(key, public, seed, ignored=ignored)).sort("id")
    kept = [name for name in key.columns if name not in NOT_SLICES or name in _KEPT]
    (folder / SUBMISSIONS).mkdir(parents=True, exist_ok=True)
    write_answers(key.select(kept), folder / "answers.csv")
    if names is not None:
        write_table(names.sort("id"), folder / NAMES)
    write_predictions(key.select("id", score=pl.lit(0.5)), folder / SAMPLE)
    name = name if name is not None else folder.resolve().name
    definition = Definition(name, metric, "answers.csv", sha256(folder / "answers.csv"), seed=seed, pages=FILES)
    write_pages(folder, name)
    write_definition(definition, folder)
    return open_challenge(folder)


def _renamed(key: pl.DataFrame) -> pl.DataFrame:
    """``names.csv`` in the order of the key: id (new), original_id, and path where the key has it."""
    paths = ["path"] if "path" in key.columns else []
    files = key.select(pl.coalesce(*paths, "id")).to_series().to_list()
    return key.select(pl.Series("id", new_names(files), dtype=pl.String), pl.col("id").alias("original_id"), *paths)
