r"""What is learned from the logits of a data set, and the loss that they are trained by."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from pyg_vision.prediction import average_precision

# What an evaluation finds besides the loss, and its names in print; the first is the main one.
SCORES = {"top1": "top-1", "top5": "top-5", "map": "mAP", "f1": "F1"}


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


def classification_loss(
    logits: Tensor, labels: Tensor, multi_label: bool, smoothing: float = 0.0
) -> Tensor:
    r"""Returns the cross-entropy; of several labels, the mean binary cross-entropy of the classes.

    Args:
        logits (torch.Tensor): The logits :math:`(N, K)`.
        labels (torch.Tensor): The classes :math:`(N)`, or the probability of each :math:`(N, K)`.
        multi_label (bool): Whether a sample has any number of labels.
        smoothing (float, optional): The label smoothing. (default: :obj:`0.0`)
    """
    if not multi_label:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    goal = labels.to(logits.dtype) * (1.0 - smoothing) + 0.5 * smoothing
    return F.binary_cross_entropy_with_logits(logits, goal)


def summarise(logits: Tensor, labels: Tensor) -> dict[str, Any]:
    r"""Returns loss, accuracies and the confusion matrix of classes, or loss, mean average
    precision and :math:`F_1` of several labels, and how well each class is found.

    Args:
        logits (torch.Tensor): The logits :math:`(N, K)`.
        labels (torch.Tensor): The classes :math:`(N)`, or zeros and ones :math:`(N, K)`.
    """
    found = _summarise_classes if labels.dim() == 1 else _summarise_labels
    return {"samples": labels.size(0), **found(logits.double(), labels)}


def _summarise_classes(logits: Tensor, labels: Tensor) -> dict[str, Any]:
    classes = logits.size(1)
    ranked = logits.topk(min(5, classes), dim=1).indices
    hit = ranked == labels.view(-1, 1)
    confusion = torch.bincount(labels * classes + ranked[:, 0], minlength=classes**2)
    confusion = confusion.view(classes, classes)
    per_class = confusion.diagonal() / confusion.sum(1)
    return {
        "loss": float(F.cross_entropy(logits, labels)),
        "top1": float(hit[:, 0].double().mean()),
        "top5": float(hit.any(1).double().mean()),
        "per_class": _or_none(per_class),
        "confusion": confusion.tolist(),
    }


def _summarise_labels(logits: Tensor, labels: Tensor) -> dict[str, Any]:
    goal, said = labels.bool(), logits >= 0  # a probability of one half or more
    precision = average_precision(logits, labels)
    shown = ~precision.isnan()
    hits, false = (goal & said).sum(0), (~goal & said).sum(0)
    missed, right = (goal & ~said).sum(0), (~goal & ~said).sum(0)
    wrong = int(false.sum() + missed.sum())
    return {
        "loss": float(classification_loss(logits, labels, multi_label=True)),
        "map": float(precision[shown].mean()) if bool(shown.any()) else 0.0,
        "f1": 2 * int(hits.sum()) / max(2 * int(hits.sum()) + wrong, 1),
        "per_class": _or_none(precision),
        # True and false positives, true and false negatives.
        "counts": torch.stack((hits, false, right, missed), dim=1).tolist(),
    }


def _or_none(scores: Tensor) -> list[float | None]:
    r"""Returns the score of each class, none where no sample has it."""
    return [None if math.isnan(value) else value for value in scores.tolist()]
