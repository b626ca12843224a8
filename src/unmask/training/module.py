"""The LightningModule that trains every detector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import timm.optim
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector
from unmask.scoring.metrics import roc_auc


class DetectorModule(LightningModule):
    """The detector's losses, AdamW, warm-up and cosine decay.

    Logs ``train_loss`` a step, where it has several terms each as ``train_<term>``; an epoch, ``val_loss``
    (cross-entropy, balanced over classes, natural log) and ``val_auc`` (crop level).

    All that a step leaves to chance depends on the seed, the epoch and the step alone, so that a run that was stopped
    goes on as if it had not been.

    Args:
        detector: see ``unmask.detectors``.
        seed: of dropout and whatever else the detector leaves to chance.
        learning_rate: at its highest.
        weight_decay: AdamW's; normalisations and biases have none.
        warm_up: share of all steps over which the rate rises from 0.
        label_smoothing: targets become smoothing / 2 and 1 - smoothing / 2.
        layer_decay: what the rate is multiplied by for each layer further from the last one, above 0; 1: all alike.
        frozen_epochs: how many epochs train the last layer alone, before the whole detector joins in.

    Raises:
        ValueError: ``frozen_epochs`` of a detector whose last layer is not linear; ``layer_decay`` of one whose layers
            are not known.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        seed: int = 0,
        learning_rate: float = 3e-4,
        weight_decay: float = 0.01,
        warm_up: float = 0.1,
        label_smoothing: float = 0.0,
        layer_decay: float = 1.0,
        frozen_epochs: int = 0,
    ) -> None:
        super().__init__()
        if frozen_epochs and detector.head is None:
            raise ValueError("frozen_epochs is for detectors with a linear last layer")
        parameter_groups(detector, learning_rate, weight_decay, layer_decay)  # refused now, not when training begins
        self.detector, self.seed = detector, seed
        self.learning_rate, self.weight_decay, self.layer_decay = learning_rate, weight_decay, layer_decay
        self.warm_up, self.label_smoothing, self.frozen_epochs = warm_up, label_smoothing, frozen_epochs
        self._learning = [value for value in detector.parameters() if value.requires_grad]
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits of fake, (B,); see the detector's ``takes``."""
        logits: Tensor = self.detector(*inputs)
        return logits

    def on_train_epoch_start(self) -> None:
        """Freeze or thaw what comes before the last layer."""
        if not self.frozen_epochs:
            return
        frozen = self.current_epoch < self.frozen_epochs
        head = set(self.detector.head.parameters()) if self.detector.head is not None else set()
        for value in self._learning:
            value.requires_grad_(value in head or not frozen)
        # Normalisation would go on learning what is typical of a batch.
        self.detector.train(not frozen)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make the step's chance its own."""
        place = np.random.SeedSequence([self.seed, self.current_epoch, batch_idx, self.global_rank])
        torch.manual_seed(int(place.generate_state(1, np.uint64)[0]))

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The sum of the detector's losses on one batch."""
        smooth = self.label_smoothing
        terms = self.detector.losses(batch | {"targets": batch["labels"] * (1 - smooth) + smooth / 2})
        loss = torch.stack(list(terms.values())).sum()
        self.log("train_loss", loss, prog_bar=True, batch_size=len(batch["labels"]))
        if len(terms) > 1:
            self.log_dict({f"train_{name}": term for name, term in terms.items()}, batch_size=len(batch["labels"]))
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        """Keep logits, labels and places; they are a few bytes an example."""
        logits = self(*(batch[name] for name in self.detector.takes)).float()
        self._seen.append((batch["place"], logits, batch["labels"]))

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's validation figures."""
        places, logits, labels = (self._gathered(torch.cat(part)) for part in zip(*self._seen, strict=True))
        self._seen.clear()
        # In the order of one process, and each once: sums in another order would differ in their last digits.
        _, first = np.unique(places.numpy(), return_index=True)
        logits, labels = logits[first], labels[first]
        losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        balanced = (losses[labels == 0].mean() + losses[labels == 1].mean()) / 2
        # Every process logs the same number, since early stopping looks for it in each.
        self.log("val_loss", balanced, prog_bar=True, sync_dist=True)
        if labels.unique().numel() == 2:  # Lightning's sanity check may see one class alone
            auc = roc_auc(labels.numpy().astype(int), logits.double().numpy())
            self.log("val_auc", auc, prog_bar=True, sync_dist=True)

    def _gathered(self, values: Tensor) -> Tensor:
        """The values of all processes, on the CPU."""
        gathered: Any = self.all_gather(values)
        return gathered.flatten().cpu()

    def configure_optimizers(self) -> Any:
        """AdamW with a rate that rises, then falls to zero along a cosine, step by step."""
        groups = parameter_groups(self.detector, self.learning_rate, self.weight_decay, self.layer_decay)
        optimizer = torch.optim.AdamW(groups, lr=self.learning_rate)
        total = max(int(self.trainer.estimated_stepping_batches), 1)
        warm = max(int(self.warm_up * total), 1)

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def parameter_groups(
    detector: nn.Module, learning_rate: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """What AdamW takes: trainable parameters with their rate and decay.

    Args:
        detector: whose parameters.
        learning_rate: of the last layer.
        weight_decay: of whatever has more than one dimension.
        layer_decay: see ``DetectorModule``.

    Raises:
        ValueError: ``layer_decay`` is not 1, and the detector's backbone does not tell its layers as timm's do.
    """
    if layer_decay == 1:
        return list(timm.optim.param_groups_weight_decay(detector, weight_decay))
    backbone = getattr(detector, "backbone", None)
    if not isinstance(backbone, nn.Module) or not hasattr(backbone, "group_matcher"):
        raise ValueError("layer_decay is for detectors with a backbone whose layers are known, such as timm's")
    groups: list[dict[str, Any]] = timm.optim.param_groups_layer_decay(backbone, weight_decay, layer_decay=layer_decay)
    for group in groups:
        group["lr"] = learning_rate * group.pop("lr_scale")
    known = {id(value) for group in groups for value in group["params"]}
    rest = nn.ParameterList(value for value in detector.parameters() if id(value) not in known)
    return groups + list(timm.optim.param_groups_weight_decay(rest, weight_decay))
