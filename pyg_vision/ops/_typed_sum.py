r"""Sums over typed edges: the aggregation of a relational graph convolution."""

from typing import Optional

import torch
from torch import Tensor

# Up to this many nodes (times relations), signals over one graph are multiplied with the matrix of
# its edges; a skeleton has a tenth of that.
DENSE_ROWS = 512


def relation_sum(
    x: Tensor,
    edge_index: Tensor,
    edge_type: Tensor,
    edge_weight: Optional[Tensor],
    num_relations: int,
    num_targets: int,
) -> Tensor:
    r"""Sums over the edges of each relation by itself.

    .. math::
        \mathbf{y}_{i, r} = \sum_{j \in \mathcal{N}_r(i)} w_{ji} \, \mathbf{x}_j

    Args:
        x (torch.Tensor): The features of the sources.
        edge_index (torch.Tensor): The edges :math:`(2, |\mathcal{E}|)`, source and destination.
        edge_type (torch.Tensor): The relation of each edge :math:`(|\mathcal{E}|)`.
        edge_weight (torch.Tensor, optional): The weight of each edge; :obj:`None` means one.
        num_relations (int): The number of relations :math:`R`.
        num_targets (int): The number of destinations :math:`N`.

    Shapes:
        - **input:** :math:`(M, C)`, or :math:`(*, M, C)`, many signals over one graph
        - **output:** :math:`(*, N, R, C)`

    Example:
        >>> import torch
        >>> from pyg_vision.ops import relation_sum
        >>> x = torch.tensor([[1.0], [2.0], [4.0]])
        >>> edge_index = torch.tensor([[1, 2, 0], [0, 0, 2]])
        >>> edge_type = torch.tensor([0, 1, 0])
        >>> relation_sum(x, edge_index, edge_type, None, num_relations=2, num_targets=3).squeeze(-1)
        tensor([[2., 4.],
                [0., 0.],
                [1., 0.]])
    """
    slot = edge_index[1] * num_relations + edge_type
    out = typed_sum(x, edge_index[0], slot, edge_weight, num_targets * num_relations)
    return out.view(*out.shape[:-2], num_targets, num_relations, out.size(-1))


def typed_sum(
    x: Tensor,
    column: Tensor,
    target: Tensor,
    edge_weight: Optional[Tensor],
    num_targets: int,
    total: Optional[Tensor] = None,
) -> Tensor:
    r"""Sums over edges, each of which takes one row of what the sources hold for relations.

    .. math::
        \mathbf{y}_i = \sum_{e: \, j \to i} w_e \, \mathbf{x}_{\textrm{column}(e)}

    Args:
        x (torch.Tensor): The rows of the sources.
        column (torch.Tensor): The row that each edge takes :math:`(|\mathcal{E}|)`.
        target (torch.Tensor): The destination of each edge :math:`(|\mathcal{E}|)`.
        edge_weight (torch.Tensor, optional): The weight of each edge; :obj:`None` means one.
        num_targets (int): The number of destinations :math:`N`.
        total (torch.Tensor, optional): What the sums are added to. (default: :obj:`None`)

    Shapes:
        - **input:** :math:`(M, C)`, or :math:`(*, M, C)`, many signals over one graph
        - **output:** :math:`(*, N, C)`

    Example:
        >>> import torch
        >>> from pyg_vision.ops import typed_sum
        >>> x = torch.tensor([[1.0], [2.0], [4.0]])
        >>> column, target = torch.tensor([1, 2, 0]), torch.tensor([0, 0, 2])
        >>> typed_sum(x, column, target, torch.tensor([1.0, 0.5, 3.0]), num_targets=3)
        tensor([[4.],
                [0.],
                [3.]])
    """
    weight = x.new_ones(column.numel()) if edge_weight is None else edge_weight.to(x.dtype)
    if x.dim() > 2 and max(num_targets, x.size(-2)) <= DENSE_ROWS:
        matrix = x.new_zeros(num_targets, x.size(-2))
        matrix = matrix.index_put((target, column), weight, accumulate=True)
        signals = x.flatten(0, -3)
        # Not matmul, which to train transposes all signals in order to call one product.
        matrices = matrix.expand(signals.size(0), -1, -1)
        if total is None:
            out = torch.bmm(matrices, signals)
        else:
            out = torch.baddbmm(total.flatten(0, -3), matrices, signals)
        return out.view(*x.shape[:-2], num_targets, x.size(-1))
    messages = x.index_select(-2, column) * weight.unsqueeze(-1)
    out = x.new_zeros(*x.shape[:-2], num_targets, x.size(-1)) if total is None else total
    return out.index_add(-2, target, messages)
