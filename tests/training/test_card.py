from __future__ import annotations

import polars as pl
import pytest

from unmask.faces.prepare import default_settings
from unmask.inference.model_folder import ModelSpec
from unmask.training.card import model_card

SPEC = ModelSpec("timm", {}, default_settings(), data={"seed": 0, "manifest_sha256": "0", "fit": "all"})
NO_OTHERS = "the manipulations listed above and no others"
NOT_KNOWN = "the manifest does not say"


def manifest(methods: list[str | None] | None) -> pl.DataFrame:
    """Two real files and one fake a method in each split; without the column where None."""
    fakes = [None, None] if methods is None else methods
    rows = [
        {"split": split, "label": label, "method": method}
        for split in ("train", "validation", "test")
        for label, method in [(0, None), (0, None), *((1, method) for method in fakes)]
    ]
    found = pl.DataFrame(rows, schema={"split": pl.String, "label": pl.Int8, "method": pl.String})
    return found.drop("method") if methods is None else found


@pytest.mark.parametrize(
    ("methods", "blends", "train", "seen"),
    [
        (["b", "a", "a"], 0.0, "| train | 2 | 3 | a, b |", NO_OTHERS),
        (["b", "a"], 0.5, "| train | 2 | 2 | a, b, self-blends of the real ones, made in training |", NO_OTHERS),
        (["b", None], 0.0, "| train | 2 | 2 | b, not stated for 1 of 2 |", NOT_KNOWN),
        (None, 0.0, "| train | 2 | 2 | not stated for 2 of 2 |", NOT_KNOWN),
        ([None, None], 0.0, "| train | 2 | 2 | not stated for 2 of 2 |", NOT_KNOWN),
        (["b"], 1.0, "| train | 2 | 0 | self-blends of the real ones, made in training |", NO_OTHERS),
        (["a|b"], 0.0, "| train | 2 | 1 | a\\|b |", NO_OTHERS),
    ],
)
def test_what_it_has_seen(methods, blends, train, seen):
    card = model_card(SPEC, manifest(methods), "seed: 0\n", blends=blends)
    assert train in card.splitlines()
    assert [sentence for sentence in (NO_OTHERS, NOT_KNOWN) if sentence in card] == [seen]


def test_self_blends_alone_with_fakes_in_validation_that_are_not_stated():
    card = model_card(SPEC, manifest(None), "seed: 0\n", blends=1.0)
    assert "| train | 2 | 0 | self-blends of the real ones, made in training |" in card
    assert "| validation | 2 | 2 | not stated for 2 of 2 |" in card
    assert NOT_KNOWN in card
