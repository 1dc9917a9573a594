r"""Nearest neighbours in a PyG batch whose graphs differ in size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision._checks import check_index
from pyg_vision._validation import is_readable, validation_enabled


def too_large(k: int, dilation: int, size: int, loop: bool, graph: int | None = None) -> str:
    r"""Says that :math:`k \cdot d` neighbours do not exist."""
    what = f"k = {k}" if dilation == 1 else f"k * dilation = {k} * {dilation} = {k * dilation}"
    where = "each node has" if graph is None else f"a node of graph {graph} has"
    note = "" if loop else " besides itself"
    return (
        f"{what} neighbours were asked for, but {where} only {size - (0 if loop else 1)} "
        f"sources{note}; lower k or dilation, or pass small_graphs='self'"
    )


@dataclass(frozen=True)
class Ragged:
    r"""Where each graph of a batch begins, on the device and, if it may be read, on the host.

    Args:
        ptr (torch.Tensor): The first node of each graph and the number of nodes.
        ptr_sources (torch.Tensor): The same for sources.
        sizes (list, optional): The nodes and sources of each graph, if the host knows them.
        max_size (tuple, optional): The most nodes and sources of a graph otherwise.
    """

    ptr: Tensor
    ptr_sources: Tensor
    sizes: list[tuple[int, int]] | None
    max_size: tuple[int, int]

    @staticmethod
    def make(
        x: Tensor,
        sources: Tensor | None,
        batch: Tensor | None,
        batch_sources: Tensor | None,
        ptr: Tensor | None,
        ptr_sources: Tensor | None,
        batch_size: int | None,
        max_num_nodes: int | None,
        pads: bool = True,
    ) -> Ragged | None:
        r"""Returns :obj:`None` if the arguments describe no batch; checks them otherwise.

        Without :obj:`pads`, sizes are read wherever the features are.
        """
        given = (batch, batch_sources, ptr, ptr_sources)
        if all(value is None for value in given):
            return None
        if x.dim() == 3:
            raise ValueError(
                f"'batch' and 'ptr' are for features of shape [num_nodes, channels]; "
                f"the graphs of 'x' are already apart (got shape {list(x.shape)})"
            )
        if sources is None and (batch_sources is not None or ptr_sources is not None):
            raise ValueError("'batch_sources' and 'ptr_sources' need 'sources'")
        if batch_size is None and ptr is not None:
            check_index("ptr", ptr, x.device)
            batch_size = ptr.numel() - 1
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"a batch must hold at least one graph (got {batch_size})")
        if batch_size is None:
            batch_size = max(_count(batch, "batch"), _count(batch_sources, "batch_sources"))
        ptr = _to_ptr("batch", batch, "ptr", ptr, x, batch_size)
        if sources is None:
            ptr_sources = ptr
        else:
            ptr_sources = _to_ptr(
                "batch_sources", batch_sources, "ptr_sources", ptr_sources, sources, batch_size
            )
        # On a CPU the sizes cost nothing to read; elsewhere only without 'max_num_nodes'.
        readable = is_readable(x) and is_readable(ptr) and is_readable(ptr_sources)
        host = readable and (x.device.type == "cpu" or validation_enabled(x))
        if host or not pads:
            rows, columns = ptr.diff().tolist(), ptr_sources.diff().tolist()
            sizes = list(zip(rows, columns, strict=True))
            return Ragged(ptr, ptr_sources, sizes, (max(rows), max(columns)))
        if max_num_nodes is not None:
            return Ragged(ptr, ptr_sources, None, (max_num_nodes, max_num_nodes))
        longest = int(ptr.diff().max()), int(ptr_sources.diff().max())
        return Ragged(ptr, ptr_sources, None, longest)

    def check_sizes(self, k: int, dilation: int, loop: bool, small_graphs: str) -> None:
        r"""Raises if a graph is empty or too small, as far as the host knows the sizes."""
        needed = k * dilation + (0 if loop else 1)
        for graph, (rows, columns) in enumerate(self.sizes or []):
            if small_graphs == "error" and rows == 0:
                raise ValueError(f"graph {graph} of the batch is empty")
            if small_graphs == "error" and columns < needed:
                raise ValueError(too_large(k, dilation, columns, loop, graph))
            if rows > 0 and columns == 0:
                raise ValueError(f"graph {graph} of the batch has {rows} node(s) but no source")


def ragged_search(
    search: Callable[..., Tensor],
    ragged: Ragged,
    x: Tensor,
    sources: Tensor | None,
    bias: Tensor | Callable[[int, int], Tensor] | None,
    mask: Tensor | None,
    num: int,
) -> Tensor:
    r"""Returns global indices :math:`(N, \textrm{num})`, -1 where a graph has no more sources.

    Args:
        search (Callable): Searches equal-size sets,
            :obj:`search(x, sources, bias=, mask=, count=)`.
        ragged (Ragged): The batch.
        x (torch.Tensor): Features of all nodes.
        sources (torch.Tensor, optional): Features of all sources, if not the nodes themselves.
        bias (torch.Tensor or Callable, optional): Bias for the largest graph, or for each graph.
        mask (torch.Tensor, optional): Mask for the largest graph, or for each graph.
        num (int): The number of columns.
    """
    if ragged.sizes is None:
        return _padded_search(search, ragged, x, sources, bias, mask, num)
    return _grouped_search(search, ragged, ragged.sizes, x, sources, bias, mask, num)


def _grouped_search(
    search: Callable[..., Tensor],
    ragged: Ragged,
    sizes: list[tuple[int, int]],
    x: Tensor,
    sources: Tensor | None,
    bias: Tensor | Callable[[int, int], Tensor] | None,
    mask: Tensor | None,
    num: int,
) -> Tensor:
    r"""Searches all graphs of one size together: no padding, one call where sizes are equal."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for graph, size in enumerate(sizes):
        if size[0] > 0:
            groups[size].append(graph)
    index = torch.full((x.size(0), num), -1, dtype=torch.long, device=x.device)
    for (rows, columns), members in groups.items():
        graphs = torch.tensor(members, device=x.device)
        row_ids = ragged.ptr[graphs].view(-1, 1) + torch.arange(rows, device=x.device)
        column_start = ragged.ptr_sources[graphs].view(-1, 1)
        column_ids = column_start + torch.arange(columns, device=x.device)
        local = search(
            x[row_ids],
            None if sources is None else sources[column_ids],
            bias=_crop_bias(bias, graphs, rows, columns),
            mask=_crop(mask, graphs, rows, columns),
        )
        found = torch.where(local < 0, -1, local + column_start.unsqueeze(-1))
        index[row_ids, : found.size(-1)] = found
    return index


def _padded_search(
    search: Callable[..., Tensor],
    ragged: Ragged,
    x: Tensor,
    sources: Tensor | None,
    bias: Tensor | Callable[[int, int], Tensor] | None,
    mask: Tensor | None,
    num: int,
) -> Tensor:
    r"""Searches all graphs padded to the largest: static shapes, the sizes stay on the device."""
    rows, columns = ragged.max_size
    count = ragged.ptr_sources.diff()
    row_ids = _padded_ids(ragged.ptr, rows, x.size(0))
    column_ids = row_ids
    if sources is not None:
        column_ids = _padded_ids(ragged.ptr_sources, columns, sources.size(0))
    x_padded = x[row_ids]
    # Queries are padded with rows of other graphs, which only their own, unused result sees.
    local = search(
        x_padded,
        None if sources is None else sources[column_ids],
        bias=_resize_bias(bias, rows, columns),
        mask=_resize(mask, rows, columns),
        count=count,
    )
    found = torch.where(local < 0, -1, local + ragged.ptr_sources[:-1].view(-1, 1, 1))
    node = torch.arange(x.size(0), device=x.device)
    graph = torch.searchsorted(ragged.ptr[1:].contiguous(), node, right=True)
    graph = graph.clamp(max=ragged.ptr.numel() - 2)
    # A wrong 'max_num_nodes' must not read out of range.
    return found[graph, (node - ragged.ptr[graph]).clamp(0, rows - 1)]


def _padded_ids(ptr: Tensor, size: int, num_nodes: int) -> Tensor:
    ids = ptr[:-1].view(-1, 1) + torch.arange(size, device=ptr.device)
    return ids.clamp(0, max(num_nodes - 1, 0))


def _crop(value: Tensor | None, graphs: Tensor, rows: int, columns: int) -> Tensor | None:
    if value is None:
        return None
    if value.dim() < 2 or value.size(-2) < rows or value.size(-1) < columns:
        raise ValueError(
            f"'bias' and 'mask' must cover the largest graph, {rows} nodes and {columns} sources "
            f"(got shape {list(value.shape)})"
        )
    if value.dim() == 3 and 1 < value.size(0) != graphs.numel():  # all graphs: no copy
        value = value[graphs]
    return value[..., :rows, :columns]


def _resize(value: Tensor | None, rows: int, columns: int) -> Tensor | None:
    r"""Crops or pads a bias or mask to the padded size; what is padded is never used."""
    if value is None or value.shape[-2:] == (rows, columns):
        return value
    value = value[..., :rows, :columns]
    return F.pad(value, (0, columns - value.size(-1), 0, rows - value.size(-2)))


def _resize_bias(
    bias: Tensor | Callable[[int, int], Tensor] | None, rows: int, columns: int
) -> Tensor | Callable[[int, int], Tensor] | None:
    if bias is None or isinstance(bias, Tensor):
        return _resize(bias, rows, columns)

    def block(start: int, end: int) -> Tensor:
        value = _resize(bias(start, end), end - start, columns)
        return value if value is not None else torch.empty(0)

    return block


def _crop_bias(
    bias: Tensor | Callable[[int, int], Tensor] | None, graphs: Tensor, rows: int, columns: int
) -> Tensor | Callable[[int, int], Tensor] | None:
    if bias is None or isinstance(bias, Tensor):
        return _crop(bias, graphs, rows, columns)

    def block(start: int, end: int) -> Tensor:
        value = _crop(bias(start, end), graphs, end - start, columns)
        return value if value is not None else torch.empty(0)

    return block


def _count(batch: Tensor | None, name: str) -> int:
    if batch is None:
        return 0
    check_index(name, batch, getattr(batch, "device", torch.device("cpu")))
    return int(batch.max()) + 1 if batch.numel() > 0 else 0


def _to_ptr(
    batch_name: str,
    batch: Tensor | None,
    ptr_name: str,
    ptr: Tensor | None,
    x: Tensor,
    batch_size: int,
) -> Tensor:
    r"""Checks one description of a batch and returns it as pointers."""
    if ptr is not None and batch is not None:
        raise ValueError(f"'{ptr_name}' takes the place of '{batch_name}'; give one of them")
    if ptr is not None:
        check_index(ptr_name, ptr, x.device)
        if ptr.dim() != 1 or ptr.numel() != batch_size + 1:
            raise ValueError(
                f"'{ptr_name}' must have {batch_size + 1} entries for {batch_size} graphs "
                f"(got shape {list(ptr.shape)})"
            )
        if validation_enabled(x):
            steps = ptr.diff()
            if int(ptr[0]) != 0 or int(ptr[-1]) != x.size(0) or bool((steps < 0).any()):
                raise ValueError(
                    f"'{ptr_name}' must rise from 0 to the number of nodes, {x.size(0)} "
                    f"(got {ptr.tolist()[:8]}{' …' if ptr.numel() > 8 else ''})"
                )
        return ptr.long()
    if batch is None:
        raise ValueError(f"'{batch_name}' or '{ptr_name}' must be given for every set of nodes")
    check_index(batch_name, batch, x.device)
    if batch.dim() != 1 or batch.numel() != x.size(0):
        raise ValueError(
            f"'{batch_name}' must have one entry for each of {x.size(0)} nodes "
            f"(got shape {list(batch.shape)})"
        )
    if validation_enabled(x) and batch.numel() > 0:
        if bool((batch.diff() < 0).any()):
            node = int((batch.diff() < 0).nonzero()[0]) + 1
            raise ValueError(
                f"'{batch_name}' must be sorted (got {int(batch[node])} after "
                f"{int(batch[node - 1])} at node {node})"
            )
        if int(batch[0]) < 0 or int(batch[-1]) >= batch_size:
            raise ValueError(
                f"'{batch_name}' must name graphs 0 … {batch_size - 1} "
                f"(got {int(batch[0])} … {int(batch[-1])})"
            )
    graphs = torch.arange(batch_size + 1, device=x.device)
    return torch.searchsorted(batch.contiguous(), graphs.to(batch.dtype))
