r"""Max-relative graph convolution whose edges have a gate."""

from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import Parameter
from torch_geometric.typing import Adj, OptTensor, PairTensor, Size

from pyg_vision._validation import is_traced
from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.ops.adjacency import fit_table

EPS = 1e-6  # published, beside the temperature


class GatedMRConv(NeighborConv):
    r"""The gated max-relative graph convolution from the `"AdaptViG: Adaptive Vision GNN with
    Exponential Decay Gating" <https://arxiv.org/abs/2511.09942>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_i = h_{\mathbf{\Theta}} \Big( \mathbf{x}_i \, \Vert \,
        \max_{j \in \mathcal{N}(i)} g_{ij} ( \mathbf{x}_j - \mathbf{x}_i ) \Big), \qquad
        g_{ij} = \exp \Big( - \frac{{\| \mathbf{x}_j - \mathbf{x}_i \|}_1}{|T| + 10^{-6}} \Big)

    with a learned temperature :math:`T`, so that patches that are alike tell each other more. The
    gate of some edges may be one. The gates take part in the gradient.

    Over a table no tensor of all edges and channels exists, forward or backward, but one of a
    neighbour of each node.

    Args:
        in_channels (int or tuple): Size of each input, :obj:`-1` to take it from the first input.
            A tuple gives the (equal) sizes of sources and destinations.
        out_channels (int): Size of each output.
        bias (bool, optional): Whether the linear map has a bias. (default: :obj:`True`)
        groups (int, optional): The blocks of the linear map. (default: :obj:`1`)
        norm (str, optional): :obj:`"batch"` or :obj:`"instance"`, see :class:`MRConv`.
            (default: :obj:`None`)
        act (str, optional): The activation, see :class:`MRConv`. (default: :obj:`None`)
        **kwargs (optional): Additional arguments of
            :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** as for :class:`MRConv`; with :obj:`ungated` the graph as a
          :class:`~pyg_vision.ops.NeighborTable` or :obj:`edge_index`
        - **output:** node features :math:`(|\mathcal{V}_t|, C_{out})`, batched as the input

    Raises:
        ValueError: If :obj:`ungated` does not fit the edges.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import AxialGraph, GatedMRConv
        >>> conv = GatedMRConv(16, 32)
        >>> x = torch.randn(2, 49, 16)
        >>> table = AxialGraph("powers", step=2)(x, (7, 7))
        >>> conv(x, table).shape
        torch.Size([2, 49, 32])
        >>> first = torch.arange(table.k) == 0
        >>> conv(x, table, ungated=first).shape  # the gate of the first neighbour is one
        torch.Size([2, 49, 32])
    """

    def __init__(
        self,
        in_channels: Union[int, tuple[int, int]],
        out_channels: int,
        bias: bool = True,
        groups: int = 1,
        norm: Optional[str] = None,
        act: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("aggr", "max")
        super().__init__(in_channels, out_channels, **kwargs)
        self.temperature = Parameter(torch.ones(()))
        self.nn = node_mlp(self.both_channels, out_channels, groups, bias, norm, act)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module; the temperature becomes one."""
        super().reset_parameters()
        torch.nn.init.ones_(self.temperature)

    def forward(
        self,
        x: Union[Tensor, PairTensor],
        edge_index: Union[Adj, NeighborTable],
        ungated: OptTensor = None,
        size: Size = None,
    ) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor or (torch.Tensor, torch.Tensor)): The node features.
            edge_index (Adj or NeighborTable): The graph.
            ungated (torch.Tensor, optional): Which edges have a gate of one, boolean:
                :math:`(k)` for a table, :math:`(|\mathcal{E}|)` for an :obj:`edge_index`.
                (default: none)
            size ((int, int), optional): The number of sources and destinations.
        """
        pair = self.read(x, edge_index, size)
        if ungated is not None:
            _check_ungated(ungated, edge_index)
        if self.fusible and isinstance(edge_index, NeighborTable):
            m = self._from_table(pair, edge_index, ungated)
        else:
            if ungated is not None and isinstance(edge_index, NeighborTable):
                ungated = ungated.expand(edge_index.index.shape).reshape(-1)
            # propagate_type: (x: PairTensor, ungated: OptTensor)
            m = self.propagate(
                self.edges(edge_index), x=self.spread(pair, edge_index), ungated=ungated, size=size
            )
        x_dst = pair[1]
        out: Tensor = self.nn(torch.cat([x_dst, m.view(x_dst.shape)], dim=-1))
        return out

    def message(self, x_i: Tensor, x_j: Tensor, ungated: OptTensor) -> Tensor:
        r"""The difference to the neighbour, times the gate of the edge."""
        difference = x_j - x_i
        gate = self._gate(difference.abs().sum(dim=-1, keepdim=True))
        if ungated is not None:
            gate = gate.masked_fill(ungated.unsqueeze(-1), 1.0)
        return gate * difference

    def _gate(self, distance: Tensor) -> Tensor:
        return torch.exp(-distance / (self.temperature.abs() + EPS))

    def _from_table(self, x: PairTensor, graph: NeighborTable, ungated: OptTensor) -> Tensor:
        r"""Aggregates neighbour by neighbour."""
        table = fit_table(graph, *x)
        x_src, x_dst = x
        if table.index.dim() == 2 and x_src.dim() == 3:  # static: the same for every signal
            index = table.index.expand(x_src.size(0), -1, -1)
            table = NeighborTable(index, table.num_sources)
        index = table.flatten().index
        x_src, x_dst = (v.flatten(0, -2) for v in (x_src, x_dst))
        needs = torch.is_grad_enabled() and (
            x_src.requires_grad or x_dst.requires_grad or self.temperature.requires_grad
        )
        if not needs:
            return self._at_once(x_src, x_dst, index, ungated)
        gate = self._gate(edge_distances(x_src, x_dst, index))
        if ungated is not None:
            gate = gate.masked_fill(ungated, 1.0)
        return gated_maximum(x_src, x_dst, index, gate)

    def _at_once(self, x_src: Tensor, x_dst: Tensor, index: Tensor, ungated: OptTensor) -> Tensor:
        r"""Aggregates without gradients: the difference of a neighbour serves for its gate."""
        best = torch.full_like(x_dst, -torch.inf)
        for slot, column in enumerate(index.unbind(1)):
            value = x_src.index_select(0, column) - x_dst
            gate = self._gate(value.abs().sum(dim=-1, keepdim=True))
            if ungated is not None:
                gate = gate.masked_fill(ungated[slot], 1.0)
            best = torch.maximum(best, value * gate)
        return best


def gated_maximum(x_src: Tensor, x_dst: Tensor, index: Tensor, gate: Tensor) -> Tensor:
    r"""Returns :math:`\max_j g_{ij} (\mathbf{x}_j - \mathbf{x}_i)`; of equal ones the first has
    the gradient.

    Args:
        x_src (torch.Tensor): The features of the sources :math:`(M, C)`.
        x_dst (torch.Tensor): Those of the destinations :math:`(N, C)`.
        index (torch.Tensor): The neighbours :math:`(N, k)`.
        gate (torch.Tensor): The gates :math:`(N, k)`.
    """
    needs = torch.is_grad_enabled() and any(v.requires_grad for v in (x_src, x_dst, gate))
    with torch.no_grad():
        best, first = _difference(x_src, x_dst, index, gate, 0), torch.zeros((), dtype=torch.long)
        which = first.to(index.device).expand(best.shape)
        for slot in range(1, index.size(1)):
            value = _difference(x_src, x_dst, index, gate, slot)
            if needs:
                which = torch.where((value > best) | value.isnan(), slot, which)
            best = torch.maximum(best, value)
    if not needs:
        return best
    # The same numbers once more, of one neighbour for each channel, with their derivatives.
    rows = index.gather(1, which)
    return gate.gather(1, which) * (x_src.gather(0, rows) - x_dst)


def _difference(x_src: Tensor, x_dst: Tensor, index: Tensor, gate: Tensor, slot: int) -> Tensor:
    return gate[:, slot : slot + 1] * (x_src.index_select(0, index[:, slot]) - x_dst)


def edge_distances(x_src: Tensor, x_dst: Tensor, index: Tensor) -> Tensor:
    r"""Returns :math:`{\| \mathbf{x}_j - \mathbf{x}_i \|}_1` of each edge, :math:`(N, k)`.

    Args:
        x_src (torch.Tensor): The features of the sources :math:`(M, C)`.
        x_dst (torch.Tensor): Those of the destinations :math:`(N, C)`.
        index (torch.Tensor): The neighbours :math:`(N, k)`.
    """
    # Compilers do not know what a Function knows, and choose themselves what is kept.
    needs = torch.is_grad_enabled() and (x_src.requires_grad or x_dst.requires_grad)
    if needs and not is_traced(x_src):
        out: Tensor = _Distances.apply(x_src, x_dst, index)
        return out
    return _distances(x_src, x_dst, index)


def _distances(x_src: Tensor, x_dst: Tensor, index: Tensor) -> Tensor:
    found = [
        (x_src.index_select(0, column) - x_dst).abs().sum(dim=-1) for column in index.unbind(1)
    ]
    return torch.stack(found, dim=1)


class _Distances(Function):
    r"""The distances; their derivatives are signs, which are computed again where needed."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x_src: Tensor, x_dst: Tensor, index: Tensor) -> Tensor:
        return _distances(x_src, x_dst, index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (*_Signs.apply(grads[0], *ctx.saved_tensors), None)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        x_src, x_dst, index = ctx.saved_tensors
        t_src, t_dst = (
            torch.zeros_like(x) if t is None else t
            for t, x in zip(tangents[:2], (x_src, x_dst), strict=True)
        )
        return _Along.apply(t_src, t_dst, x_src, x_dst, index)


class _Signs(Function):
    r"""From the edges to their ends: the backward pass; linear in the first argument."""

    generate_vmap_rule = True

    @staticmethod
    def forward(grad: Tensor, x_src: Tensor, x_dst: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        # Autocast may have summed in float32 what has half of it.
        dtype = torch.promote_types(grad.dtype, x_src.dtype)
        to_src, to_dst = torch.zeros_like(x_src, dtype=dtype), torch.zeros_like(x_dst, dtype=dtype)
        for slot, column in enumerate(index.unbind(1)):
            sign = torch.sign(x_src.index_select(0, column) - x_dst) * grad[:, slot : slot + 1]
            to_src = to_src.index_add(0, column, sign)
            to_dst = to_dst - sign
        return to_src.to(x_src.dtype), to_dst.to(x_dst.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs[1:])
        ctx.save_for_forward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (_Along.apply(*grads, *ctx.saved_tensors), None, None, None)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return _Signs.apply(tangents[0], *ctx.saved_tensors)


class _Along(Function):
    r"""From the ends of edges to the edges: the forward derivative; linear in the first two."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        t_src: Tensor, t_dst: Tensor, x_src: Tensor, x_dst: Tensor, index: Tensor
    ) -> Tensor:
        found = []
        for column in index.unbind(1):
            sign = torch.sign(x_src.index_select(0, column) - x_dst)
            found.append((sign * (t_src.index_select(0, column) - t_dst)).sum(dim=-1))
        return torch.stack(found, dim=1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[2:])
        ctx.save_for_forward(*inputs[2:])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (*_Signs.apply(grads[0], *ctx.saved_tensors), None, None, None)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return _Along.apply(*tangents[:2], *ctx.saved_tensors)


def _check_ungated(ungated: Tensor, graph: Union[Adj, NeighborTable]) -> None:
    if isinstance(graph, NeighborTable):
        wanted = (graph.k,)
    elif isinstance(graph, Tensor) and graph.layout == torch.strided:
        wanted = (graph.size(1),)
    else:
        raise ValueError("'ungated' needs a graph as a NeighborTable or edge_index")
    if ungated.dtype != torch.bool or tuple(ungated.shape) != wanted:
        raise ValueError(
            f"'ungated' must be boolean of shape {list(wanted)}, one for each neighbour of a table "
            f"or each edge (got {ungated.dtype} of shape {list(ungated.shape)})"
        )
