"""What hidden files share with the training data, by the audit's own parts: between the two alone, not within them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from unmask.datasets.audit import alike, files, leaks, twins
from unmask.datasets.audit.findings import Finding, files_are, finding

TRAINING, HIDDEN = "the training data", "the hidden files"
#: What the column ``split`` holds here.
_PARTS = (TRAINING, HIDDEN)

_LEAVE_OUT = "take them out of the training data that entrants get, or out of the challenge"
_REPLACE = "replace them before anybody gets them, or make the challenge again without them"
#: Kind of finding -> what an organizer can do.
_REMEDIES = {
    "missing_file": "give the manifest of the files as they lie now",
    **dict.fromkeys(("empty_file", "unreadable", "incomplete"), _REPLACE),
    "shared_id": f"{_LEAVE_OUT}; where the files are others, index one of them under another dataset's name",
    "shared_source": _LEAVE_OUT,
    "shared_subject": f"{_LEAVE_OUT}; or say on the challenge's pages that people are shared",
    "shared_donor": f"{_LEAVE_OUT}; or say on the challenge's pages that faces are shared",
    "same_bytes": _LEAVE_OUT,
    "contradictory_labels": "find out which label is true, mend the answer key or the training data",
    "near_duplicate": f"look at the pairs: what is one recording leaks its label, so {_LEAVE_OUT}",
}


def together(hidden: pl.DataFrame, training: pl.DataFrame) -> pl.DataFrame:
    """Both as one table, in which ``split`` says which of the two a row is from.

    Args:
        hidden: rows as ``manifests.read_all`` gives them, with further columns.
        training: the same, or none.
    """
    parts = [training.with_columns(split=pl.lit(TRAINING)), hidden.with_columns(split=pl.lit(HIDDEN))]
    return pl.concat(parts, how="diagonal")


def look(rows: pl.DataFrame, step: Callable[[], None], *, workers: int | None = None) -> tuple[pl.DataFrame, list[str]]:
    """Look at all files, with decoders where they are installed.

    Args:
        rows: as ``together`` gives them.
        step: called after each file.
        workers: processes that look; one a processor by default.

    Returns:
        The rows with ``files.FACTS``, and notes of what could not be looked at.
    """
    try:
        looked = files.look(rows, step, workers=workers)
    except ModuleNotFoundError as error:
        if (error.name or "unmask").partition(".")[0] == "unmask":
            raise
        return files.glance(rows, step), [_not_opened(str(error.name))]
    return looked, files.tell_sounds(looked)


def _not_opened(missing: str) -> str:
    return (
        f"no file was opened, since {missing} is not installed: codecs, durations, frame rates, sizes in pixels, "
        "folders of pictures, damage and looks were not checked; run pip install -e '.[train]' and check again"
    )


def find_leaks(looked: pl.DataFrame) -> tuple[list[Finding], list[str]]:
    """Hidden files that cannot be used, whose label is in doubt, and what they share with the training data.

    Args:
        looked: as ``look`` gives them. Of hidden files, ``name`` is what findings call them, ``listed_label`` a second
            opinion on the label, null where there is none.

    Returns:
        The findings, and notes of what could not be compared.
    """
    is_hidden = pl.col("split") == HIDDEN
    faulty = files.find_faulty(looked.filter(is_hidden))
    copies, _ = twins.find_same_bytes(looked.filter(is_hidden.any().over("digest")), " and in ".join(_PARTS))
    found, notes = [*faulty, *_find_other_labels(looked.filter(is_hidden)), *copies], list[str]()
    if looked["split"].n_unique() > 1:
        # Without labels and manifests nothing but the split is left to tell files apart that look alike.
        alikes, _, notes = alike.find_near_duplicates(looked.with_columns(label=None, manifest=pl.lit("")), _PARTS)
        found += [*leaks.find_shared(looked, _PARTS), *alikes]
        notes += [*leaks.tell_unknown(looked), *_tell_apart(looked), *_tell_lost(looked.filter(~is_hidden))]
    return [replace(each, next_step=_REMEDIES[each.kind]) for each in found], notes


def _find_other_labels(hidden: pl.DataFrame) -> list[Finding]:
    other = hidden.filter(pl.col("listed_label") != pl.col("label"))
    places = [f"{name} ({place})" for name, place in other.select("name", "place").iter_rows()]
    what = f"{files_are(len(places))} called real by one of the manifest and the answer key, and fake by the other"
    return [finding("contradictory_labels", what, places, _REMEDIES["contradictory_labels"])] if places else []


def _tell_apart(rows: pl.DataFrame) -> list[str]:
    ours, theirs = (set(rows.filter(split=part)["dataset"]) for part in (HIDDEN, TRAINING))
    if ours & theirs:
        return []
    whose = f"those are of {', '.join(sorted(ours))}, these of {', '.join(sorted(theirs))}"
    return [f"hidden files and training data were compared by bytes and looks alone, not by names of people: {whose}"]


def _tell_lost(training: pl.DataFrame) -> list[str]:
    count = training["fault"].count()
    return [f"{files_are(count)} of no use in the training data: not compared"] if count else []
