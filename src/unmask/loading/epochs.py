"""Batches of training pairs, epoch after epoch, from wherever a run was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from unmask.loading.pairs import PairPlan

Batch = dict[str, Tensor]


class EpochLoader:
    """An iterable over one epoch's batches at a time; each iteration is the next epoch, or the rest of one.

    Args:
        pairs: gives the example of a ``Pair``.
        plan: which pairs, in which order.
        collate: a list of examples to one batch.
        pairs_per_batch: of one process; the last batch of an epoch is left out where it would have fewer.
        process: the number of this process, from 0.
        processes: how many share each epoch; together they see what one with as many times the pairs would.
        workers: processes that load for this one; 0 loads in itself.
    """

    def __init__(
        self,
        pairs: Dataset[Batch],
        plan: PairPlan,
        collate: Callable[[list[Batch]], Batch],
        *,
        pairs_per_batch: int,
        process: int = 0,
        processes: int = 1,
        workers: int = 0,
    ) -> None:
        self._order = _Order(plan, pairs_per_batch, process, processes)
        self._loader: DataLoader[Batch] = DataLoader(
            pairs,
            batch_sampler=self._order,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=collate,
            worker_init_fn=_alone,
        )

    def __len__(self) -> int:
        """Number of batches in an epoch, for each process."""
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        """The rest of this epoch; all of the next one where it is through."""
        order = self._order
        if order.given >= len(order):
            order.epoch, order.given = order.epoch + 1, 0
        for batch in self._loader:
            order.given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where it is: the epoch, and how many of its batches have been given out."""
        return {"epoch": self._order.epoch, "given": self._order.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where ``state_dict`` was taken."""
        self._order.epoch, self._order.given = state["epoch"], state["given"]


def _alone(_: int) -> None:
    """Keep a worker to one thread, as torch does: OpenCV's would wait for each other."""
    cv2.setNumThreads(0)


@dataclass
class _Order:
    """What a DataLoader takes for a batch sampler; it is asked in the training process, at the start of an iteration.

    It knows nothing of the loader: workers whose loader is part of a cycle are ended only after a timeout.
    """

    plan: PairPlan
    size: int
    process: int
    processes: int
    epoch: int = 0
    given: int = 0

    def __len__(self) -> int:
        return max(len(self.plan) // (self.size * self.processes), 1)

    def __iter__(self) -> Iterator[list[Any]]:
        """The pairs of each batch that is still to come in this epoch, this process's share."""
        order = self.plan.epoch(self.epoch)
        together = self.size * self.processes
        for number in range(self.given, len(self)):
            batch = order[number * together : (number + 1) * together]
            own = max(len(batch) // self.processes, 1)  # less than a batch in all: each process still needs a pair
            start = min(self.process * own, len(batch) - own)
            yield batch[start : start + own]
