"""What our training road costs beside the network itself. Prints Markdown.

    python benchmarks/training.py [--repeats 3]

Steps of DetectorModule on a fixed list of batches against a bare loop over the same; a loader that feeds a network of
5 ms a crop; the memory of evaluation over few and many crops.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import polars as pl
import pytorch_lightning as lightning
import torch
from hydra.utils import instantiate
from measuring import in_turn, spread, table, told
from store import DISTINCT, make_rows, make_store
from torch.nn import functional

from unmask.detectors import build
from unmask.faces.store import FaceStore
from unmask.inference.model_folder import Model, ModelSpec
from unmask.inference.predict import predict
from unmask.loading.data_module import PairDataModule
from unmask.loading.examples import Form
from unmask.training.compose import compose_config
from unmask.training.module import DetectorModule

#: Network, side of its crops, crops a batch, steps of the shorter run.
NETWORKS = {
    "EfficientNet-lite0, 160 px, 32 crops": ("tf_efficientnet_lite0", 160, 32, 8),
    "test_resnet, 64 px, 8 crops": ("test_resnet", 64, 8, 60),
}
MS_A_CROP, PAIRS, BATCHES = 5.0, 16, 25


def batches(side: int, size: int) -> list[dict[str, torch.Tensor]]:
    """A few batches that are shown again and again."""
    chance = torch.Generator().manual_seed(0)
    labels = torch.tensor([0.0, 1.0] * (size // 2))
    return [{"images": torch.rand(size, 3, side, side, generator=chance), "labels": labels} for _ in range(4)]


class Repeated:
    """So many batches, in turn."""

    def __init__(self, given: list[dict[str, torch.Tensor]], count: int) -> None:
        self.given, self.count = given, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self):
        return (self.given[number % len(self.given)] for number in range(self.count))


def ours(backbone: str, side: int, given: list[dict[str, torch.Tensor]], steps: int) -> None:
    """Steps of the module under Lightning, as configs/trainer/cpu.yaml sets it up, with its log."""
    with tempfile.TemporaryDirectory() as out:
        module = DetectorModule(build("timm", backbone=backbone, input_size=side))
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=1,
            gradient_clip_val=1.0,
            log_every_n_steps=5,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=lightning.loggers.CSVLogger(out),
        )
        trainer.fit(module, Repeated(given, steps))


def bare(backbone: str, side: int, given: list[dict[str, torch.Tensor]], steps: int) -> None:
    """The same steps, written out."""
    network = build("timm", backbone=backbone, input_size=side).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (steps + 1))
    for batch in Repeated(given, steps):
        loss = functional.binary_cross_entropy_with_logits(network(batch["images"]), batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        loss.item()


def show_steps(repeats: int) -> None:
    """Print the table of steps; what a run costs once is taken out by runs of two lengths."""
    rows = []
    for name, (backbone, side, size, short) in NETWORKS.items():
        given = batches(side, size)
        ways = {
            f"{way.__name__} {steps}": lambda way=way, steps=steps: way(backbone, side, given, steps)  # noqa: B023
            for way in (ours, bare)
            for steps in (short, 3 * short)
        }
        found = in_turn(ways, repeats)
        each = {
            way: [
                (long - once) / (2 * short) * 1000
                for once, long in zip(found[f"{way} {short}"], found[f"{way} {3 * short}"], strict=True)
            ]
            for way in ("ours", "bare")
        }
        ratio = median(each["ours"]) / median(each["bare"])
        rows.append((name, spread(each["bare"], ".1f"), spread(each["ours"], ".1f"), f"{ratio:.3f}"))
    table([f"{repeats} runs", "bare loop, ms a step", "ours, ms a step", "ratio of medians"], rows)


def show_loader(store: FaceStore, repeats: int) -> None:
    """Print how busy a network of 5 ms a crop is kept by two workers."""
    rows = []
    ids = sorted(set(store.table["id"].to_pylist()))
    manifest = pl.DataFrame(
        {
            "id": ids,
            "label": [number % 2 for number in range(len(ids))],
            "split": ["train" if number % 10 else "validation" for number in range(len(ids))],
        }
    ).with_columns(
        # Both classes stand in both splits.
        split=pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("validation")).otherwise(pl.col("split"))
    )
    for augment, blends in (("light", 0.0), ("light", 0.5), ("sbi", 1.0), ("dfdc", 0.0), ("faces", 0.5)):
        config = compose_config(["manifest=m", "store=s", f"augment={augment}", "detector.arguments.input_size=224"])
        changes = instantiate(config.augment)
        busy, speed = [], []
        for number in range(repeats):
            data = PairDataModule(
                manifest,
                store,
                Form(("images",), 224),
                changes.footage,
                changes.view,
                pairs_per_batch=PAIRS,
                blends=blends,
                repeats=16,
                workers=2,
            )
            loader = iter(data.train_dataloader())
            for _ in range(5):  # the workers' start, which happens once a run
                next(loader)
            start = time.perf_counter()
            for _ in range(BATCHES):
                next(loader)
                time.sleep(2 * PAIRS * MS_A_CROP / 1000)  # the network, on a card of its own
            seconds = time.perf_counter() - start
            busy.append(100 * BATCHES * 2 * PAIRS * MS_A_CROP / 1000 / seconds)
            del loader, data
            told(f"{augment}, {blends:g} blended: {busy[-1]:.0f} % (run {number + 1} of {repeats})")
            speed.append(BATCHES * 2 * PAIRS / seconds)
        rows.append((augment, f"{blends:g}", spread(busy, ".0f"), f"{median(speed):.0f}"))
    table(["augment", "share blended on the spot", "busy, %", "crops a second"], rows)


def evaluate(folder: Path) -> None:
    """Predict a whole store in this process, and print how much memory that took at most."""
    store = FaceStore(folder)
    detector = build("spectrum", input_size=160)
    spec = ModelSpec("spectrum", {"input_size": 160}, store.settings)
    ids = sorted(set(store.table["id"].to_pylist()))
    predict(Model(detector, spec), pl.DataFrame({"id": ids}), store)
    # What getrusage calls the peak would be that of the process which started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(*(int(status[name].split()[0]) // 1024 for name in ("RssAnon", "VmHWM")))


def show_memory(distinct: list[dict[str, object]], scratch: Path) -> None:
    """Print the memory of evaluation of stores of several sizes."""
    rows = []
    for count in (2_000, 10_000, 50_000):
        folder = scratch / str(count)
        make_store(folder, distinct, count)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        done = subprocess.run(
            [sys.executable, __file__, "--evaluate", str(folder)], check=True, capture_output=True, text=True
        )
        own, peak = map(int, done.stdout.split())
        told(f"{count} crops: {own} MB")
        rows.append((f"{count:,}", f"{size:,.0f}", f"{own:,}", f"{peak:,}"))
    table(
        ["crops evaluated", "store, MB", "own memory at the end, MB", "peak with what was read of the store, MB"], rows
    )


def main(repeats: int) -> None:
    """Print the tables."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    print("A step of training: forward, backward, clipping, AdamW and its schedule.\n")
    show_steps(repeats)
    distinct = make_rows(DISTINCT)
    with tempfile.TemporaryDirectory() as scratch:
        store = make_store(Path(scratch) / "store", distinct, 8_000)
        print(
            f"A network of {MS_A_CROP:g} ms a crop, which here only waits, fed with batches of {2 * PAIRS} crops of "
            "224 px by two workers, out of a store of 256 px.\n"
        )
        show_loader(store, repeats)
        print("Evaluation of a whole store by the frequency baseline; what was read of the mapped store counts.\n")
        show_memory(distinct, Path(scratch))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--evaluate", type=Path)
    given = parser.parse_args()
    if given.evaluate:
        evaluate(given.evaluate)
    else:
        main(given.repeats)
