r"""A bias of distances that never exists as a whole."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class RowBias(NamedTuple):
    r"""A bias of distances whose rows are sums of rows of a smaller table.

    .. math::
        b_{ij} = \sum_t w_{it} \, T_{p_{it}, j}

    :func:`pyg_vision.ops.knn` takes it as its :obj:`bias` and makes rows where it needs them, on a
    GPU inside of its kernel, so that it takes the memory of the table alone. An interpolated bias
    is one, and so is a bias of relative positions, which is the sum of one for rows of patches and
    one for their columns.

    Args:
        table (torch.Tensor): The rows :math:`(P, M)`, all finite.
        index (torch.Tensor): Which of them a node adds up, :math:`(N, T)`.
        weight (torch.Tensor): Their factors :math:`(N, T)`.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import RowBias, knn
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> bias = RowBias(9.0 * torch.eye(3), torch.tensor([[0], [1], [2]]), torch.ones(3, 1))
        >>> knn(x, k=1, bias=bias).index.view(-1)
        tensor([1, 0, 1])
    """

    table: Tensor
    index: Tensor  # type: ignore[assignment]  # the field's name, over that of tuple.index
    weight: Tensor

    def __call__(self, start: int, end: int) -> Tensor:
        r"""Returns the rows from :obj:`start` to :obj:`end`.

        Args:
            start (int): The first row.
            end (int): The one after the last.
        """
        return mix_rows(self.table, self.index[start:end], self.weight[start:end])

    def check(self, num_nodes: int, num_sources: int, device: torch.device, readable: bool) -> None:
        r"""Raises if it is no bias of so many nodes and sources.

        Args:
            num_nodes (int): The number of nodes.
            num_sources (int): The number of sources.
            device (torch.device): Where they are.
            readable (bool): Whether values may be looked at.

        Raises:
            TypeError: If a tensor has another data type.
            ValueError: If shapes or devices do not fit, or a value is not finite.
        """
        table, index, weight = self
        if not table.is_floating_point() or not weight.is_floating_point():
            raise TypeError(
                f"'bias.table' and 'bias.weight' must be floating-point (got {table.dtype} and "
                f"{weight.dtype})"
            )
        if index.dtype != torch.long:
            raise TypeError(f"'bias.index' must be torch.long (got {index.dtype})")
        if (
            table.dim() != 2
            or table.size(1) != num_sources
            or index.dim() != 2
            or index.size(0) != num_nodes
            or weight.shape != index.shape
        ):
            raise ValueError(
                f"'bias' must have a table [P, {num_sources}], and an index and a weight "
                f"[{num_nodes}, T] (got shapes {list(table.shape)}, {list(index.shape)} and "
                f"{list(weight.shape)})"
            )
        for name, value in self._asdict().items():
            if value.device != device:
                raise ValueError(f"'bias.{name}' must be on {device} like 'x' (got {value.device})")
        if not readable:
            return
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < table.size(0):
            raise ValueError(
                f"'bias.index' must be of {table.size(0)} rows (got {int(index.min())} to "
                f"{int(index.max())})"
            )
        for name, value in (("table", table), ("weight", weight)):
            if not bool(value.isfinite().all()):
                raise ValueError(f"'bias.{name}' must be finite")


def mix_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    r"""Returns :math:`\sum_t w_{rt} T_{p_{rt}}`, with the same rounding for any choice of rows.

    Args:
        table (torch.Tensor): The rows :math:`(*, P, M)`.
        index (torch.Tensor): Which ones :math:`(R, T)`.
        weight (torch.Tensor): Their factors :math:`(R, T)`.
    """
    weight = weight.to(table.dtype).unsqueeze(-1)
    out = table.index_select(-2, index[:, 0]) * weight[:, 0]
    for tap in range(1, index.size(1)):
        out = out + table.index_select(-2, index[:, tap]) * weight[:, tap]
    return out
