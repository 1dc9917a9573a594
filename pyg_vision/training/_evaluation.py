r"""What is learned from the logits of a data set."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class Predictions(Metric):
    r"""Keeps logits, labels and numbers of all samples, over all processes.

    Nothing is kept but for what a report needs, in the order of the data set.
    """

    full_state_update = False

    logits: list[Tensor]
    labels: list[Tensor]
    index: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for name in ("logits", "labels", "index"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, logits: Tensor, labels: Tensor, index: Tensor) -> None:
        r"""Adds a batch."""
        self.logits.append(logits.detach().float())
        self.labels.append(labels.detach())
        self.index.append(index.detach())

    def compute(self) -> dict[str, Tensor]:
        r"""Returns all of them, each sample once."""
        index, logits, labels = map(dim_zero_cat, (self.index, self.logits, self.labels))
        order = index.argsort()
        return {"index": index[order], "logits": logits[order], "labels": labels[order]}


def summarise(logits: Tensor, labels: Tensor) -> dict[str, Any]:
    r"""Returns loss, accuracies and the confusion matrix.

    Args:
        logits (torch.Tensor): The logits :math:`(N, K)`.
        labels (torch.Tensor): The classes :math:`(N)`.
    """
    classes = logits.size(1)
    ranked = logits.topk(min(5, classes), dim=1).indices
    hit = ranked == labels.view(-1, 1)
    confusion = torch.bincount(labels * classes + ranked[:, 0], minlength=classes**2)
    confusion = confusion.view(classes, classes)
    per_class = confusion.diagonal() / confusion.sum(1).clamp(min=1)
    return {
        "loss": float(F.cross_entropy(logits.double(), labels)),
        "top1": float(hit[:, 0].double().mean()),
        "top5": float(hit.any(1).double().mean()),
        "samples": labels.numel(),
        "per_class": per_class.tolist(),
        "confusion": confusion.tolist(),
    }
