r"""What a search for neighbours looks for."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Optional

import numpy as np
import torch
from torch import Tensor

from pyg_vision.ops.row_bias import mix_rows

Indices = np.ndarray[Any, np.dtype[np.int64]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]

# Where a node ranks among its own neighbours: nearest, nowhere, or by its distance.
FIRST, EXCLUDED, AS_ANY = -1, 1, 0


class Query(NamedTuple):
    r"""What a search looks for, as it was given: the exact features and what changes a distance.

    Args:
        x (torch.Tensor): Queries :math:`(B, R, C)`.
        y (torch.Tensor): Sources :math:`(B, M, C)`.
        bias (torch.Tensor, optional): Added to distances :math:`(1 | B, R, M)`, or the table of
            which :obj:`taps` make that.
        mask (torch.Tensor, optional): Which pairs are allowed :math:`(1 | B, R, M)`.
        num_valid (torch.Tensor, optional): The leading sources that are no padding :math:`(B)`.
        first (int or torch.Tensor): The source that the first query is, or that each query is.
        own (int): How a query stands to itself, one of :obj:`FIRST`, :obj:`EXCLUDED` and
            :obj:`AS_ANY`.
        cosine (bool): One minus the cosine similarity instead of the squared Euclidean distance.
        taps (tuple, optional): Which rows of the bias make that of each query, and their factors
            :math:`(R, T)`, see :class:`~pyg_vision.ops.RowBias`.
    """

    x: Tensor
    y: Tensor
    bias: Optional[Tensor]
    mask: Optional[Tensor]
    num_valid: Optional[Tensor]
    first: int | Tensor
    own: int
    cosine: bool
    taps: Optional[tuple[Tensor, Tensor]] = None

    def block(self, items: slice, rows: slice | Tensor) -> Query:
        r"""Returns the same for some graphs and some of their queries."""
        bias, mask = (
            None if v is None else v[items if v.size(0) > 1 else slice(None)]
            for v in (self.bias, self.mask)
        )
        mask = None if mask is None else mask[:, rows]
        taps = self.taps
        if taps is not None:
            taps = taps[0][rows], taps[1][rows]
        elif bias is not None:
            bias = bias[:, rows]
        valid = None if self.num_valid is None else self.num_valid[items]
        first = self.first + (rows if isinstance(rows, Tensor) else rows.start)
        return Query(
            self.x[items, rows],
            self.y[items],
            bias,
            mask,
            valid,
            first,
            self.own,
            self.cosine,
            taps,
        )

    def bias_rows(self) -> Optional[Tensor]:
        r"""Returns the bias :math:`(1 | B, R, M)`."""
        if self.bias is None or self.taps is None:
            return self.bias
        return mix_rows(self.bias, *self.taps)

    def bias_of(self, graph: Indices, row: Indices, column: Indices) -> Doubles:
        r"""Returns the bias of single pairs, which is not :obj:`None`."""
        table: Any = self.bias
        place = [torch.from_numpy(v) for v in np.broadcast_arrays(graph, row, column)]
        if table.size(0) == 1:
            place[0] = torch.zeros_like(place[0])
        if self.taps is None:
            found: Doubles = table[tuple(place)].double().numpy()
            return found
        # The rounding of mix_rows, so that a pair has the bias that its row has.
        index, weight = (v[place[1]] for v in self.taps)
        weight = weight.to(table.dtype)
        value = table[place[0], index[..., 0], place[2]] * weight[..., 0]
        for tap in range(1, index.size(-1)):
            value = value + table[place[0], index[..., tap], place[2]] * weight[..., tap]
        found = value.double().numpy()
        return found

    def restrict(self, dist: Tensor) -> Tensor:
        r"""Writes into distances :math:`(B, R, M)` where a query's own place is, and which pairs
        are forbidden.
        """
        if self.own != AS_ANY:
            if isinstance(self.first, Tensor):
                column = self.first.view(1, -1, 1).expand(dist.size(0), -1, 1)
                dist.scatter_(2, column, self.own * math.inf)
            else:
                dist.diagonal(self.first, 1, 2).fill_(self.own * math.inf)
        if self.mask is not None:
            dist.masked_fill_(~self.mask, math.inf)
        if self.num_valid is not None:
            column = torch.arange(dist.size(-1), device=dist.device)
            dist.masked_fill_(column >= self.num_valid.view(-1, 1, 1), math.inf)
        return dist
