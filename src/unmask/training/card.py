"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from unmask import __version__
from unmask.detectors import class_of
from unmask.inference.model_folder import ModelSpec
from unmask.loading.blending import BLENDINGS
from unmask.scoring import Scorecard
from unmask.scoring.estimates import Estimate

_CARD = """# {detector}: a deepfake detector made with unmask {version}

Gives the probability that {what}.

    unmask predict THIS_FOLDER video.mp4 --out predictions.csv

## Trained on

| split | real | fake | manipulations |
|---|---|---|---|
{rows}

Manifest SHA-256: `{manifest}`. Seed: {seed}. What was fitted: {fit}.

## Input

{input} Their scores become one a file by their {aggregation}. Probabilities were fitted on
the validation split with both classes weighted alike.

## Tested

{tested}

## Before you rely on it

{remarks}{seen}
On other footage, other compressions and other people it will do worse: score it on your own data first, and look at the
interval, not only at the number.

## Configuration

```yaml
{recipe}```
"""


def model_card(
    spec: ModelSpec,
    manifest: pl.DataFrame,
    recipe: str,
    *,
    blends: float,
    blending: str = "self",
    tested: Mapping[str, Scorecard] | None = None,
) -> str:
    """Markdown.

    Args:
        spec: what ``model.yaml`` says.
        manifest: what the model was trained on.
        recipe: the configuration of the run, YAML that ends with a line break.
        blends: share of the fakes in training that were blended on the spot, 0 to 1; at 1, none of the manifest's
            were used.
        blending: how, a key of ``loading.blending.BLENDINGS``.
        tested: test set -> its scorecard.
    """
    train = manifest.filter((pl.col("split") == "train") & ((pl.col("label") == 0) | (blends < 1)))
    validation = manifest.filter(pl.col("split") == "validation")
    return _CARD.format(
        detector=spec.arguments.get("backbone", spec.detector),
        version=__version__,
        rows=f"{_row('train', train, blended=BLENDINGS[blending] if blends else '')}\n{_row('validation', validation)}",
        remarks="".join(f"**{remark}**\n" for remark in spec.data.get("remarks", [])),  # type: ignore[attr-defined]
        seen=_seen(pl.concat([train, validation])),
        manifest=spec.data["manifest_sha256"],
        seed=spec.data["seed"],
        fit={"all": "the whole network", "head": "the last layer alone"}[str(spec.data["fit"])],
        what=_what(spec),
        input=_input(spec),
        aggregation=spec.aggregation,
        tested=_tested(tested or {}),
        recipe=recipe,
    )


def _tested(cards: Mapping[str, Scorecard]) -> str:
    """A table of the test sets' numbers."""
    if not cards:
        return "Not yet."
    lines = ["| test set | real | fake | AUC | log loss |", "|---|---|---|---|---|"]
    for name, card in cards.items():
        numbers = [_number(card.metrics[metric]) for metric in ("roc_auc", "log_loss")]
        reals = card.rows.height - card.fakes
        lines.append(f"| {name} | {reals} | {card.fakes} | {' | '.join(numbers)} |")
    confidence = next(iter(cards.values())).protocol.confidence
    lines.append(f"\nWith {100 * confidence:g} % intervals; files without a score are left out.")
    return "\n".join(lines)


def _number(found: Estimate) -> str:
    if found.value is None:
        return f"undefined: {found.reason}"
    return f"{found.value:.3f}" + ("" if found.low is None else f" ({found.low:.3f} to {found.high:.3f})")


def _what(spec: ModelSpec) -> str:
    takes = class_of(spec.detector).takes
    faces = {"images": "a face in a video or picture was manipulated", "clips": "a face in a video was manipulated"}
    return "sound was made or changed by a machine" if takes == ("sound",) else faces[takes[0]]


def _input(spec: ModelSpec) -> str:
    """How a file becomes examples."""
    takes = class_of(spec.detector).takes
    sound = f"{spec.arguments.get('samples')} samples at 16 kHz"
    if spec.store is None:
        return f"Windows of {sound} that cover a file; shorter sound is repeated."
    crop, store = spec.store.crop, spec.store
    run = f", {store.run} in a row" if store.run > 1 else ""
    told = (
        f"Faces found by `{crop.detector}`, the most prominent one of each file, cut with {crop.margin} times the face "
        f"box to\n{crop.size} px; {store.frames} frames of each video{run}."
    )
    if takes[0] == "clips":
        told += f" Clips of {spec.arguments.get('frames')} crops"
        told += f", each with the {sound} that begin with it." if "sound" in takes else "."
    return told


def _row(split: str, part: pl.DataFrame, *, blended: str = "") -> str:
    methods = _methods(part)
    stated = [name.replace("|", "\\|") for name in methods.drop_nulls().unique().sort()]
    if methods.null_count():
        stated.append(f"not stated for {methods.null_count()} of {methods.len()}")
    if blended:
        stated.append(f"{blended}, made in training")
    real, fake = ((part["label"] == label).sum() for label in (0, 1))
    return f"| {split} | {real} | {fake} | {', '.join(stated)} |"


def _methods(part: pl.DataFrame) -> pl.Series:
    """The manipulation of each fake; null where the manifest does not say."""
    fakes = part.filter(pl.col("label") == 1)
    return fakes["method"] if "method" in fakes.columns else pl.Series([None] * fakes.height, dtype=pl.String)


def _seen(used: pl.DataFrame) -> str:
    """What can be said of the manipulations that the run was shown."""
    if _methods(used).null_count():
        return "Which manipulations it has seen is not known for all of its fakes: the manifest does not say."
    return "This run showed it the manipulations listed above and no others."
