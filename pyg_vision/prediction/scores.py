r"""How well labels are found."""

from __future__ import annotations

import torch
from torch import Tensor


def average_precision(probabilities: Tensor, labels: Tensor) -> Tensor:
    r"""Returns the average precision of each label.

    .. math::
        \mathrm{AP} = \sum_n (R_n - R_{n-1}) \, P_n,

    with precision :math:`P_n` and recall :math:`R_n` at the :math:`n`-th threshold.

    Args:
        probabilities (torch.Tensor): The probabilities :math:`(N, K)`, or anything in their order.
        labels (torch.Tensor): Zeros and ones :math:`(N, K)`.

    Returns:
        torch.Tensor: The average precisions :math:`(K)` in double precision, on the CPU; NaN for a
        label that no sample has.

    Raises:
        ImportError: If :obj:`torchmetrics` is not installed (the extra :obj:`train`).
        ValueError: If the shapes differ, or a probability is NaN.

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import average_precision
        >>> labels = torch.tensor([[1, 0], [0, 0], [1, 0]])
        >>> average_precision(torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]), labels)
        tensor([0.8333,    nan], dtype=torch.float64)
    """
    from torchmetrics.functional.classification import binary_average_precision

    if probabilities.dim() != 2 or probabilities.shape != labels.shape:
        raise ValueError(
            f"probabilities and labels must be of one shape (N, K) (got "
            f"{list(probabilities.shape)} and {list(labels.shape)})"
        )
    if probabilities.isnan().any():
        raise ValueError("'probabilities' must not be NaN")
    goal = labels.long()
    found = torch.full((labels.size(1),), torch.nan, dtype=torch.float64)
    for i in goal.any(0).nonzero().flatten().tolist():
        # torchmetrics makes probabilities of logits, of which large ones would be the same.
        _, ranks = torch.unique(probabilities[:, i], return_inverse=True)
        scores = ranks.double() / max(int(ranks.max()), 1)
        found[i] = binary_average_precision(scores, goal[:, i]).double()
    return found
