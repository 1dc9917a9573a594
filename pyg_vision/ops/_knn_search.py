r"""The search behind :func:`pyg_vision.ops.knn`: blocks of the distance matrix, then top-k."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.ops._rank import bytes_per_entry, rank

CPU_BLOCK = 3 * 2**20
CPU_ROWS = 128  # fewer would read the sources too often


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    r"""Switches autocast, TF32 and bf16 matrix products off, if any is on.

    A distance is a small difference of large numbers: reduced precision would change neighbours.
    """
    is_cuda = device.type == "cuda"
    matmul: Any = torch.backends.cuda.matmul if is_cuda else torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    previous = matmul.fp32_precision
    reduced = previous not in ("none", "ieee")
    autocast = torch.is_autocast_enabled(device.type)
    if not (reduced or autocast):
        yield
        return
    if reduced:
        matmul.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        if reduced:  # a precision that was inherited goes on being so
            inherited = previous == torch.backends.fp32_precision  # type: ignore[attr-defined]
            matmul.fp32_precision = "none" if inherited else previous


def _blocks(
    num_items: int, rows: int, row_bytes: int, budget: int
) -> Iterator[tuple[slice, slice]]:
    r"""Cuts :obj:`num_items` matrices of :obj:`rows` rows into blocks within a memory budget."""
    item_step = min(num_items, max(1, budget // max(1, rows * row_bytes)))
    row_step = min(rows, max(1, budget // max(1, row_bytes)))
    for item in range(0, num_items, item_step):
        for row in range(0, rows, row_step):
            yield slice(item, item + item_step), slice(row, row + row_step)


def search_blocks(
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
    with full_precision(x.device):
        x, y, norm, padding = _prepare(x, y, num_valid, cosine)
        row_bytes = y.size(1) * bytes_per_entry(y.device, y.dtype, y.size(1))
        if x.device.type == "cpu":  # a block that stays in cache is ranked faster
            memory_budget = min(memory_budget, max(CPU_BLOCK, CPU_ROWS * row_bytes))
        blocks = list(_blocks(x.size(0), x.size(1), row_bytes, memory_budget))
        partial = bias is not None or mask is not None or padding is not None
        out = None if len(blocks) == 1 else x.new_empty(*x.shape[:2], num, dtype=torch.long)
        for items, rows in blocks:
            alpha = -1.0 if cosine else -2.0
            if out is None:  # one block: slicing would cost as much as a small product
                dist = torch.baddbmm(norm, x, y.mT, alpha=alpha)
            else:
                dist = torch.baddbmm(norm[items], x[items, rows], y[items].mT, alpha=alpha)
            if bias is not None:
                dist += bias[items if bias.size(0) > 1 else slice(None), rows].to(dist.dtype)
            if mask is not None:
                allowed = mask[items if mask.size(0) > 1 else slice(None), rows]
                dist.masked_fill_(~allowed, float("inf"))
            if padding is not None:
                dist.masked_fill_(padding[items].unsqueeze(1), float("inf"))
            if exclude_self:
                dist.diagonal(row_start + rows.start, 1, 2).fill_(float("inf"))
            index = rank(dist, num, partial)
            if out is None:
                return index
            out[items, rows] = index
        if out is None:
            raise ValueError(f"there is nothing to search (got 'x' of shape {list(x.shape)})")
        return out


def _prepare(
    x: Tensor, y: Optional[Tensor], num_valid: Optional[Tensor], cosine: bool
) -> tuple[Tensor, Tensor, Tensor, Optional[Tensor]]:
    r"""Returns centred queries and sources, :math:`\| \mathbf{y} \|^2` and which are padding."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    x = x.to(dtype)
    source = x if y is None else y.to(dtype)
    if cosine:  # 1 - cos(x, y) = |x - y|^2 / 2 for unit vectors
        x = F.normalize(x, dim=-1)
        source = x if y is None else F.normalize(source, dim=-1)
    padding = None
    # A common offset changes no distance but cancels badly in |x|^2 - 2xy + |y|^2.
    if num_valid is None:
        center = source.mean(dim=1, keepdim=True)
    else:
        padding = torch.arange(source.size(1), device=x.device) >= num_valid.view(-1, 1)
        source = source.masked_fill(padding.unsqueeze(-1), 0.0)
        center = source.sum(dim=1, keepdim=True) / num_valid.clamp(min=1).view(-1, 1, 1)
    # The similarity to a zero vector is 0, not that of a unit vector half a unit away.
    zero = torch.linalg.vecdot(source, source) == 0 if cosine else None
    source = source - center
    x = source if y is None else x - center
    # |x|^2 is the same along a row and cannot change its ranking.
    norm = torch.linalg.vecdot(source, source)
    if zero is not None:
        norm = (norm + zero) * 0.5
    return x, source, norm.unsqueeze(1), padding


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
    r""":func:`search_blocks` as one operator, which a compiler does not look into."""
    return search_blocks(
        x, y, num, bias, mask, num_valid, row_start, exclude_self, cosine, memory_budget
    )


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
