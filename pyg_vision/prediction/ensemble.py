r"""What several runs reach together on their test data."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pyg_vision.prediction._checkpoint import CheckpointError, read_checkpoint
from pyg_vision.prediction.scores import average_precision

PREDICTIONS = "predictions.pt"


def ensemble_accuracy(
    runs: Sequence[str | os.PathLike[str]], weights: Sequence[float] | None = None
) -> dict[str, float]:
    r"""Returns the top-1 accuracy of the weighted mean of the probabilities of several runs, and
    that of each run, on the test data that they have in common; where samples have any number of
    labels, the mean average precision.

    Args:
        runs (list of str): The folders of finished runs of :obj:`pyg-vision fit`.
        weights (list of float, optional): The weight of each run. (default: equal ones)

    Returns:
        dict: These numbers, from 0 to 1, of each run by its folder, and of :obj:`"ensemble"`.

    Raises:
        CheckpointError: If a run has no predictions.
        ValueError: If the runs were tested on other data, or there is not one positive weight for
            each.

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import ensemble_accuracy, write_checkpoint
        >>> labels, index = torch.tensor([0, 1]), torch.arange(2)
        >>> for run, logits in (("joint", [[2.0, 0], [1, 0]]), ("bone", [[0.0, 1], [0, 3]])):
        ...     found = {"logits": torch.tensor(logits), "labels": labels, "index": index}
        ...     write_checkpoint({"state_dict": found}, f"runs/{run}/predictions.pt")
        >>> ensemble_accuracy(["runs/joint", "runs/bone"])
        {'runs/joint': 0.5, 'runs/bone': 0.5, 'ensemble': 1.0}
    """
    given = [1.0] * len(runs) if weights is None else list(map(float, weights))
    if len(runs) < 2 or len(given) != len(runs) or not min(given) > 0:
        raise ValueError(
            f"an ensemble is two runs or more, with one positive weight for each (got {len(runs)} "
            f"runs and {len(given)} weights)"
        )
    found, total, first = {}, None, None
    for run, weight in zip(runs, given, strict=True):
        one = read_checkpoint(Path(run) / PREDICTIONS)["state_dict"]
        first = one if first is None else first
        for name in ("index", "labels"):
            if not torch.equal(one[name], first[name]):
                raise ValueError(f"'{runs[0]}' and '{run}' were tested on other data")
        if one["logits"].shape != first["logits"].shape:
            raise ValueError(f"'{runs[0]}' and '{run}' have other classes")
        logits = one["logits"].double()
        scores = logits.softmax(-1) if one["labels"].dim() == 1 else logits.sigmoid()
        # The order of logits, which in probabilities near one would be lost.
        found[str(run)] = _score(logits, one["labels"])
        total = weight * scores if total is None else total + weight * scores
    if total is not None and first is not None:
        found["ensemble"] = _score(total / sum(given), first["labels"])
    return found


def _score(scores: Tensor, labels: Tensor) -> float:
    if labels.dim() == 1:
        # As a training counts them: of logits in bfloat16 some are equal.
        return float((scores.topk(1, dim=1).indices[:, 0] == labels).double().mean())
    return float(average_precision(scores, labels).nanmean())


def main(arguments: Sequence[str]) -> int:
    r"""Prints the accuracy of an ensemble, and returns the exit status.

    Args:
        arguments (list of str): What follows :obj:`pyg-vision test` on the command line.
    """
    parser = argparse.ArgumentParser(prog="pyg-vision test", description=__doc__)
    parser.add_argument(
        "--ensemble", nargs="+", metavar="RUN", required=True, help="the folders of finished runs"
    )
    parser.add_argument(
        "--weights", nargs="+", type=float, metavar="N", help="the weight of each (equal)"
    )
    values = parser.parse_args(arguments)
    try:
        found = ensemble_accuracy(values.ensemble, values.weights)
    except (CheckpointError, ImportError, ValueError) as error:
        parser.error(str(error))
    labels = read_checkpoint(Path(values.ensemble[0]) / PREDICTIONS)["state_dict"]["labels"]
    score = "top-1" if labels.dim() == 1 else "mAP"
    for name, value in found.items():
        sys.stdout.write(f"{score} {100 * value:.2f}%  {name}\n")
    return 0
