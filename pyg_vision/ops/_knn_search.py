r"""The search behind :func:`pyg_vision.ops.knn`: blocks of the distance matrix, then top-k."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

CPU_BLOCK = 2 * 2**20


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    r"""Switches autocast, TF32 and bf16 matrix products off.

    A distance is a small difference of large numbers: reduced precision would change neighbours.
    """
    is_cuda = device.type == "cuda"
    matmul: Any = torch.backends.cuda.matmul if is_cuda else torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    previous = matmul.fp32_precision
    reduced = previous not in ("none", "ieee")
    if reduced:
        matmul.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        if reduced:
            matmul.fp32_precision = previous


def _blocks(
    num_items: int, rows: int, row_bytes: int, budget: int
) -> Iterator[tuple[slice, slice]]:
    r"""Cuts :obj:`num_items` matrices of :obj:`rows` rows into blocks within a memory budget."""
    item_step = min(num_items, max(1, budget // max(1, rows * row_bytes)))
    row_step = min(rows, max(1, budget // max(1, row_bytes)))
    for item in range(0, num_items, item_step):
        for row in range(0, rows, row_step):
            yield slice(item, item + item_step), slice(row, row + row_step)


@torch.library.custom_op("pyg_vision::knn_search", mutates_args=())
def knn_search(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    exclude_self: bool,
    cosine: bool,
    memory_budget: int,
) -> Tensor:
    r"""Returns the :obj:`num` nearest rows of :obj:`y` for each row of :obj:`x`, nearest first.

    Args:
        x (torch.Tensor): Queries :math:`(B, R, C)`.
        y (torch.Tensor, optional): Sources :math:`(B, M, C)`, with :math:`M \geq` :obj:`num`, if
            they are not the queries themselves.
        num (int): The number of neighbours.
        bias (torch.Tensor, optional): Added to the distances, :math:`(1 | B, R, M)`.
        mask (torch.Tensor, optional): :obj:`True` where an edge is allowed, shaped as the bias.
        num_valid (torch.Tensor, optional): :math:`(B)`, the leading sources that are no padding.
        row_start (int): Which source the first query is, for :obj:`exclude_self`.
        exclude_self (bool): Whether no node may be its own neighbour.
        cosine (bool): One minus cosine similarity instead of the squared Euclidean distance.
        memory_budget (int): The bytes that one block of the distance matrix may take.

    Returns:
        torch.Tensor: Indices :math:`(B, R, \textrm{num})`, -1 where no allowed source is left.
    """
    with torch.no_grad(), full_precision(x.device):
        dtype = torch.promote_types(x.dtype, torch.float32)
        x = x.to(dtype)
        if cosine:  # 1 - cos(x, y) = |x - y|^2 / 2 for unit vectors
            x = F.normalize(x, dim=-1)
        square = y is None
        if y is None:
            y = x
        else:
            y = F.normalize(y.to(dtype), dim=-1) if cosine else y.to(dtype)
        scale = 0.5 if cosine else 1.0

        # A common offset changes no distance but cancels badly in |x|^2 - 2xy + |y|^2.
        if num_valid is None:
            center = y.mean(dim=1, keepdim=True)
            padding = None
        else:
            padding = torch.arange(y.size(1), device=y.device) >= num_valid.view(-1, 1)
            y = y.masked_fill(padding.unsqueeze(-1), 0.0)
            center = y.sum(dim=1, keepdim=True) / num_valid.clamp(min=1).view(-1, 1, 1)
        y = y - center
        x = y if square else x - center

        # |x|^2 is the same along a row and cannot change its ranking.
        norm = torch.linalg.vecdot(y, y).unsqueeze(1)
        norm = norm * scale if cosine else norm
        partial = bias is not None or mask is not None or padding is not None
        if x.device.type == "cpu":  # a block that stays in cache is ranked faster
            memory_budget = min(memory_budget, CPU_BLOCK)
        blocks = _blocks(x.size(0), x.size(1), y.size(1) * y.element_size(), memory_budget)
        out = x.new_empty(x.size(0), x.size(1), num, dtype=torch.long)
        for items, rows in blocks:
            dist = torch.baddbmm(norm[items], x[items, rows], y[items].mT, alpha=-2.0 * scale)
            if bias is not None:
                dist += bias[items if bias.size(0) > 1 else slice(None), rows].to(dtype)
            if mask is not None:
                allowed = mask[items if mask.size(0) > 1 else slice(None), rows]
                dist.masked_fill_(~allowed, float("inf"))
            if padding is not None:
                dist.masked_fill_(padding[items].unsqueeze(1), float("inf"))
            if exclude_self:
                dist.diagonal(row_start + rows.start, 1, 2).fill_(float("inf"))
            value, index = dist.topk(num, largest=False, sorted=True)
            if partial:
                index = torch.where(value < float("inf"), index, -1)
            if dist.size(0) * dist.size(1) == x.size(0) * x.size(1):
                return index  # one block: no copy
            out[items, rows] = index
        return out


@knn_search.register_fake
def _(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    exclude_self: bool,
    cosine: bool,
    memory_budget: int,
) -> Tensor:
    return x.new_empty(x.size(0), x.size(1), num, dtype=torch.long)


def torch_cluster_search(
    x: Tensor, y: Tensor, num: int, exclude_self: bool, cosine: bool
) -> Tensor:
    r"""The same search by :obj:`torch_cluster`, for equal-size sets without bias and mask."""
    try:
        import torch_cluster
    except ImportError as e:
        raise ImportError(
            "backend='torch_cluster' needs the extension of that name "
            "(pip install --no-build-isolation 'pyg-vision[ext]')"
        ) from e
    dtype = torch.promote_types(x.dtype, torch.float32)
    x, y = x.detach().to(dtype), y.detach().to(dtype)
    if cosine:  # torch_cluster has no cosine distance on CPU
        x, y = F.normalize(x, dim=-1), F.normalize(y, dim=-1)
    num_items, rows, columns = x.size(0), x.size(1), y.size(1)
    items = torch.arange(num_items, device=x.device)
    wanted = num + 1 if exclude_self else num
    _, col = torch_cluster.knn(
        y.reshape(-1, y.size(-1)),
        x.reshape(-1, x.size(-1)),
        wanted,
        items.repeat_interleave(columns),
        items.repeat_interleave(rows),
        batch_size=num_items,
    )
    if col.numel() != num_items * rows * wanted:
        raise RuntimeError(
            f"torch_cluster returned {col.numel()} neighbours instead of {wanted} for each of "
            f"{num_items * rows} nodes; are all features finite?"
        )
    index = col.view(num_items, rows, wanted) - (items * columns).view(-1, 1, 1)
    if not exclude_self:
        return index
    # Drop the node itself where it was found, else the farthest of the num + 1.
    is_self = index == torch.arange(rows, device=x.device).view(1, -1, 1)
    is_self[..., -1] |= ~is_self.any(dim=-1)
    return index[~is_self].view(num_items, rows, num)
