"""Can a number on this data be trusted? Looks for unusable files, splits that leak and surfaces that tell the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from unmask.datasets.audit import alike, files, leaks, trivial, twins
from unmask.datasets.audit.findings import Audit, Finding
from unmask.datasets.audit.manifests import read_all
from unmask.datasets.splits import balance
from unmask.tables.hashing import sha256

__all__ = ["Audit", "Finding", "audit"]


def audit(
    manifests: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Audit one manifest, or several as if their splits were used together. Every file is opened.

    Files are opened by processes of their own, which import the calling program: one that is a script must do its work
    below ``if __name__ == "__main__":``.

    Args:
        manifests: paths.
        root: the dataset's folder, where it has moved since; the same for all manifests.
        workers: processes that open files; one a processor by default.
        progress: called with (files done, files in all) as files are opened.

    Returns:
        The findings and the numbers behind them.

    Raises:
        TableError: a manifest breaks its schema.
        UnmaskError: a manifest is missing.
    """
    rows = read_all(manifests, root=root)
    hashes = {str(path): sha256(Path(path)) for path in manifests}
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, rows.height)

    looked = files.look(rows, step, workers=workers)
    counts = balance(looked)
    measured = trivial.measure(looked)
    copies, kept_once = twins.find_same_bytes(looked)
    alikes, pairs, not_compared = alike.find_near_duplicates(looked)
    findings = [
        *files.find_faulty(looked),
        *leaks.find_one_class(counts),
        *leaks.find_shared(looked),
        *twins.find_other_files(looked),
        *copies,
        *alikes,
        *trivial.find_trivial(measured),
    ]
    notes = [*kept_once, *not_compared, *files.tell_sounds(looked), *leaks.tell_unknown(looked)]
    return Audit(findings, counts, measured, notes, pairs, hashes)
