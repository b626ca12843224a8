"""The published JSON Schema: every scorecard keeps to it, and it refuses what no scorecard may be."""

import json
from copy import deepcopy
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator

from unmask.scoring import score
from unmask.scoring.freezing import calibrate

SCHEMA = json.loads(files("unmask.scoring").joinpath("scorecard.schema.json").read_text(encoding="utf-8"))
VALID = Draft202012Validator(SCHEMA)


def tables(rows: int = 600, seed: int = 0):
    """Predictions and an answer key with methods, people's groups and clusters."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    ids = [f"{seed}-{number}" for number in range(rows)]
    key = pl.DataFrame(
        {
            "id": ids,
            "label": labels,
            "method": [f"m{n % 3}" if label else None for n, label in enumerate(labels)],
            "gender": random.choice(["female", "male"], rows),
            "cluster": [f"c{n}" for n in random.integers(0, 90, rows)],
        }
    )
    return pl.DataFrame({"id": ids, "score": 1 / (1 + np.exp(-(labels + random.normal(size=rows))))}), key


def told(*given, **named):
    return json.loads(score(*given, replicates=20, **named).to_json())


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_scorecards_keep_to_it():
    predictions, key = tables()
    VALID.validate(told(predictions, key))
    few = told(predictions.head(2), key.head(2))
    assert few["metrics"]["tpr_at_fpr_1pct"]["value"] is None
    VALID.validate(few)
    fakes = key.filter(pl.col("label") == 1)
    VALID.validate(told(predictions.join(fakes, on="id", how="semi"), fakes.drop("gender", "cluster")))
    unanswered = predictions.with_columns(
        score=pl.when(pl.int_range(pl.len()) < 9).then(None).otherwise("score"),
        reason=pl.when(pl.int_range(pl.len()) < 9).then(pl.lit("no_face")),
    )
    card = told(unanswered, key)
    assert card["coverage"]["reasons"] == {"no_face": 9}
    VALID.validate(card)


def test_scorecards_with_a_policy_keep_to_it():
    policy = calibrate(*tables(seed=1), fprs=[0.1]).policy
    card = told(*tables(), policy=policy)
    assert card["operating_points"]
    VALID.validate(card)


def nothing_more(card):
    card["surprise"] = 1


def no_metrics(card):
    del card["metrics"]


def a_text_for_a_number(card):
    card["metrics"]["roc_auc"]["value"] = "0.8"


def undefined_without_a_reason(card):
    card["metrics"]["roc_auc"] = {"value": None, "n": 3}


def an_upside_down_direction(card):
    card["slices"]["gender"]["male"]["eer"]["direction"] = "down"


def half_a_hash(card):
    card["hashes"]["answers"] = "abc"


@pytest.mark.parametrize(
    "spoil",
    [nothing_more, no_metrics, a_text_for_a_number, undefined_without_a_reason, an_upside_down_direction, half_a_hash],
)
def test_what_no_scorecard_may_be_is_refused(spoil):
    card = told(*tables())
    spoiled = deepcopy(card)
    spoil(spoiled)
    assert VALID.is_valid(card)
    assert not VALID.is_valid(spoiled)
