"""The LightningModule that trains every detector."""

from __future__ import annotations

import math
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional

from unmask.detectors.base import Detector
from unmask.scoring.metrics import roc_auc


class DetectorModule(LightningModule):
    """Binary cross-entropy, AdamW, warm-up and cosine decay.

    Logs ``train_loss`` a step, ``val_loss`` (balanced over classes, natural log) and ``val_auc`` (crop level) an epoch.

    Args:
        detector: see ``unmask.detectors``.
        learning_rate: at its highest.
        weight_decay: AdamW's.
        warm_up: share of all steps over which the rate rises from 0.
        label_smoothing: targets become smoothing / 2 and 1 - smoothing / 2.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        learning_rate: float = 3e-4,
        weight_decay: float = 0.01,
        warm_up: float = 0.1,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.detector = detector
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.warm_up, self.label_smoothing = warm_up, label_smoothing
        self._seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, images: Tensor) -> Tensor:
        """Logits of fake: (B, 3, S, S) to (B,)."""
        logits: Tensor = self.detector(images)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Mean loss of one batch."""
        images, labels = batch
        targets = labels * (1 - self.label_smoothing) + self.label_smoothing / 2
        loss = functional.binary_cross_entropy_with_logits(self(images).float(), targets)
        self.log("train_loss", loss, prog_bar=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Keep logits and labels; they are a few bytes a crop."""
        images, labels = batch
        self._seen.append((self(images).float(), labels))

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's validation figures."""
        logits, labels = (self._gathered(torch.cat(part)) for part in zip(*self._seen, strict=True))
        self._seen.clear()
        losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        balanced = (losses[labels == 0].mean() + losses[labels == 1].mean()) / 2
        both = labels.unique().numel() == 2
        # Every process logs the same number, since early stopping looks for it in each.
        self.log("val_loss", balanced, prog_bar=True, sync_dist=True)
        if both:  # Lightning's sanity check may see one class alone
            auc = roc_auc(labels.numpy().astype(int), logits.double().numpy())
            self.log("val_auc", auc, prog_bar=True, sync_dist=True)

    def _gathered(self, values: Tensor) -> Tensor:
        """The values of all processes, on the CPU."""
        gathered: Any = self.all_gather(values)
        return gathered.flatten().cpu()

    def configure_optimizers(self) -> Any:
        """AdamW with a rate that rises, then falls to zero along a cosine, step by step."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        total = max(int(self.trainer.estimated_stepping_batches), 1)
        warm = max(int(self.warm_up * total), 1)

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
