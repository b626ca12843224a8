"""The demo's stages: each reads what the one before wrote, by the same functions as the single commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from unmask import __version__
from unmask.challenge.create import create
from unmask.challenge.ranking import rank
from unmask.challenge.report import print_standings
from unmask.cli.progress import progress
from unmask.datasets import index
from unmask.datasets.audit import audit
from unmask.faces.prepare import default_settings, prepare
from unmask.faces.store import FaceStore
from unmask.forgery.demo_data import make_demo_data
from unmask.inference.model_folder import load_model
from unmask.inference.predict import predict
from unmask.scoring import score
from unmask.scoring.report import print_scorecard, write_scorecard
from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError, told_differences
from unmask.tables.manifest import read_manifest, write_manifest
from unmask.tables.predictions import read_predictions, write_predictions
from unmask.tables.writing import write_text
from unmask.training.compose import compose_config
from unmask.training.run import train

_FRAMES = 8


@dataclass(frozen=True)
class Settings:
    """What a demo folder was made with; a folder is only continued with the same."""

    seed: int
    quick: bool
    version: str = __version__

    @property
    def portraits(self) -> int | None:
        """How many portraits to use; None for all."""
        return 50 if self.quick else None

    @property
    def training(self) -> tuple[str, ...]:
        """Overrides of the experiment."""
        return ("trainer.max_epochs=2", "detector.arguments.input_size=128") if self.quick else ()


def run_demo(out: str | Path, *, seed: int = 0, quick: bool = False) -> None:
    """Run every stage that has not been run, and say where everything is.

    Args:
        out: gets ``data/``, ``manifest.parquet``, ``faces/``, ``run/``, ``baseline/``, ``predictions.csv``,
            ``scorecard.json``, ``scorecard.html`` and ``challenge/``.
        seed: of everything that is left to chance.
        quick: fewer people and less training.

    Raises:
        UnmaskError: the folder holds something else, or a package cannot be fetched.
    """
    Demo(Path(out), Settings(seed, quick), Console(stderr=True)).run()


class Demo:
    """One demo folder.

    Args:
        out: the folder.
        settings: what is made.
        console: where to tell of it.
    """

    def __init__(self, out: Path, settings: Settings, console: Console) -> None:
        self.out, self.settings, self.console = out, settings, console
        self.manifest = out / "manifest.parquet"

    def run(self) -> None:
        """All stages, in order."""
        self._claim_folder()
        self._stage(
            "data",
            "Forge pictures and clips out of real ones, people split before.",
            self._data,
            "data/dfdc_train_part_40/metadata.json",
        )
        self._stage(
            "index",
            "One row a file: what is real, what is forged, who is in which split.",
            self._index,
            "manifest.parquet",
        )
        self._stage("audit", "Look for what would let a detector cheat.", self._audit)
        self._stage("prepare", "Find, cut and store the faces.", self._prepare)
        self._stage(
            "train",
            "Train a detector on the train split, choose its best epoch on validation.",
            self._train,
            "run/model/README.md",
        )
        self._stage(
            "baseline", "Fit a logistic regression on frequency features.", self._baseline, "baseline/model/README.md"
        )
        self._stage(
            "predict",
            "Predict the test split: people and a manipulation that it never saw.",
            self._predict,
            "predictions.csv",
        )
        self._stage("score", "Compare with the truth.", self._score)
        self._stage("challenge", "Rank it among other entries.", self._challenge)
        self._tell()

    def _claim_folder(self) -> None:
        note = self.out / "demo.json"
        if note.is_file():
            told = told_differences(json.loads(note.read_text(encoding="utf-8")), asdict(self.settings))
            if told:
                raise UnmaskError(
                    f"this folder holds a demo that was made with other options: {told}",
                    where=self.out,
                    next_step="delete it, or give another folder with --out",
                )
        elif self.out.is_dir() and any(self.out.iterdir()):
            raise UnmaskError("the folder is not empty", where=self.out, next_step="give another folder with --out")
        write_text(json.dumps(asdict(self.settings)), note)

    def _stage(self, name: str, sentence: str, work: Callable[[], None], result: str | None = None) -> None:
        """Run one stage, unless its result is there; those without one are quick and always run."""
        self.console.print(f"[bold]{name:>9}[/bold]  {sentence}", soft_wrap=True)
        if result is not None and (self.out / result).is_file():
            self.console.print(f"{'':>9}  [dim]done before[/dim]")
            return
        start = time.monotonic()
        work()
        self.console.print(f"{'':>9}  [dim]{time.monotonic() - start:.0f} s[/dim]")

    def _data(self) -> None:
        with progress() as bar:
            make_demo_data(self.out / "data", seed=self.settings.seed, portraits=self.settings.portraits, progress=bar)

    def _index(self) -> None:
        write_manifest(index("dfdc", self.out / "data"), self.manifest)

    def _audit(self) -> None:
        findings = audit([self.manifest]).findings
        told = [f"[yellow]{finding.what}[/yellow]" for finding in findings]
        for line in told or ["no leak between splits; file size, length, format and names tell nothing"]:
            self.console.print(f"{'':>9}  {line}", soft_wrap=True)

    def _prepare(self) -> None:
        with progress() as bar:
            done = prepare(
                read_manifest(self.manifest), self.out / "faces", default_settings(frames=_FRAMES), progress=bar
            )
        lost = sum(done.failures.values())
        self.console.print(
            f"{'':>9}  {done.files} files, {len(FaceStore(self.out / 'faces'))} crops, {lost} new files without a face"
        )

    def _train(self) -> None:
        self._run("run", "experiment=demo", *self.settings.training)

    def _baseline(self) -> None:
        self._run("baseline", "detector=spectrum", "fit=head")

    def _run(self, folder: str, *overrides: str) -> None:
        config = compose_config([*overrides, "test=false", f"seed={self.settings.seed}"])
        out = self.out / folder
        last = out / "checkpoints" / "last.ckpt"
        # Set here, not as overrides, whose grammar gives commas, brackets and equal signs a meaning.
        config.manifest, config.store, config.out = str(self.manifest), str(self.out / "faces"), str(out)
        config.resume = str(last) if last.is_file() else None
        train(config, out)

    def _predict(self) -> None:
        write_predictions(self._predictions("run"), self.out / "predictions.csv")

    def _predictions(self, run: str) -> pl.DataFrame:
        test = read_manifest(self.manifest).filter(pl.col("split") == "test")
        return predict(load_model(self.out / run / "model"), test, FaceStore(self.out / "faces")).files

    def _score(self) -> None:
        card = score(self.out / "predictions.csv", self.manifest, split="test", seed=self.settings.seed)
        write_scorecard(card, self.out, name="the demo's detector")
        print_scorecard(card, self.out)

    def _challenge(self) -> None:
        folder = self.out / "challenge"
        if not (folder / "challenge.yaml").is_file():
            create(folder, self.manifest, split="test", name="unmask demo", metric="roc_auc", seed=self.settings.seed)
        ids = read_answers(folder / "answers.csv")["id"].to_list()
        entries = {
            "efficientnet": _answered(read_predictions(self.out / "predictions.csv")),
            "frequencies": _answered(self._predictions("baseline")),
            "constant": pl.DataFrame({"id": ids, "score": [0.5] * len(ids)}),
            "random": pl.DataFrame({"id": ids, "score": np.random.default_rng(self.settings.seed).random(len(ids))}),
        }
        for team, rows in entries.items():
            write_predictions(rows, folder / "submissions" / f"{team}.csv")
        write_text(_broken(ids), folder / "submissions" / "broken.csv")
        print_standings(rank(folder), folder)

    def _tell(self) -> None:
        self.console.print("\n[bold]Everything is here:[/bold]")
        for path, what in _RESULTS:
            self.console.print(f"  {self.out / path}  [dim]{what}[/dim]", soft_wrap=True)
        self.console.print(f"Now try: unmask predict {self.out / 'run' / 'model'} YOUR_VIDEO", soft_wrap=True)


_RESULTS = (
    ("manifest.parquet", "what is real and what is forged"),
    ("faces", "the face store"),
    ("run", "config, checkpoint, logs"),
    ("run/model", "the trained detector"),
    ("predictions.csv", "its answers on the test split"),
    ("scorecard.html", "how good they are; open it in a browser"),
    ("challenge/standings.html", "the leaderboard; open it in a browser"),
)


def _answered(predictions: pl.DataFrame) -> pl.DataFrame:
    """An entry: a challenge wants a number for every id, so a file without a face becomes "I do not know", 0.5."""
    return predictions.select("id", pl.col("score").fill_null(0.5))


def _broken(ids: list[str]) -> str:
    """What goes wrong when people write such files by hand."""
    rows = [f"{name},0.5" for name in ids]
    rows[0] = f"{ids[0]},1.7"
    rows[1] = f"{ids[1]},nan"
    rows[2] = f"{ids[2]},"
    rows[3] = rows[4]
    rows[5] = f"{ids[5]}.avi,0.5"
    return "\n".join(["id,score", *rows]) + "\n"
