"""The figure by which runs are compared, out of what a run has written."""

from __future__ import annotations

from pathlib import Path

import yaml


def validation_auc(out: Path) -> float | None:
    """The best epoch's AUC on validation (crop level, higher is better); None for ``fit=head`` or where no model is.

    Args:
        out: the run's folder.
    """
    path = out / "model" / "model.yaml"
    if not path.is_file():
        return None
    noted: float | None = yaml.safe_load(path.read_text(encoding="utf-8"))["data"].get("val_auc")
    return noted
