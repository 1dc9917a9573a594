r"""The block of ST-GCN: space, then time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, ReLU, Sequential
from torch_geometric.data import Data

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.relation_plan import RelationPlan
from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv
from pyg_vision.nn.layers.fold_norms import fold_behind_sum
from pyg_vision.nn.layers.temporal_conv import TemporalConv


class STGCNBlock(Module):
    r"""The block from the `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper.

    .. math::
        \mathbf{X}^{\prime} = \textrm{ReLU}(\textrm{BN}(\textrm{TemporalConv}(\textrm{ReLU}(
        \textrm{BN}(\textrm{SpatialGraphConv}(\mathbf{X}))))) + \textrm{residual}(\mathbf{X}))

    The residual is the input, or a linear map of every :obj:`stride`-th frame and batch norm where
    the shape changes.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        num_relations (int, optional): The number of relations of edges. (default: :obj:`3`)
        kernel_size (int, optional): The frames of the temporal convolution. (default: :obj:`9`)
        stride (int, optional): Its stride. (default: :obj:`1`)
        dropout (float, optional): Dropout after it. (default: :obj:`0.0`)
        residual (bool, optional): Whether there is a residual. (default: :obj:`True`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint; the :term:`typed edges <typed edge>` of one skeleton
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C_{out})`

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_graph
        >>> from pyg_vision.nn import STGCNBlock
        >>> graph = skeleton_graph("coco", dtype=torch.float)
        >>> block = STGCNBlock(3, 16, num_relations=3)
        >>> x = torch.randn(2 * 30 * 17, 3)  # two persons, 30 frames, 17 joints
        >>> block(x, [(2, 30, 17)], graph.edge_index, graph.edge_type, graph.edge_weight).shape
        torch.Size([1020, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int = 3,
        kernel_size: int = 9,
        stride: int = 1,
        dropout: float = 0.0,
        residual: bool = True,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.gcn = SpatialGraphConv(in_channels, out_channels, num_relations)
        self.tcn = Sequential(
            norm_layer(out_channels),
            ReLU(inplace=True),
            TemporalConv(out_channels, out_channels, kernel_size, stride),
            norm_layer(out_channels),
            Dropout(dropout, inplace=True),
        )
        self.residual: Sequential | None = None
        self.has_residual = residual
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                TemporalConv(in_channels, out_channels, 1, stride), norm_layer(out_channels)
            )
        self.relu = ReLU(inplace=True)

    def fuse_layers(self) -> None:
        r"""Folds the norm behind the graph convolution into it; its term is not a message's."""
        fold_behind_sum(self.gcn, self.tcn)

    def forward(
        self,
        x: Tensor,
        tracks: Tracks | Data | Sequence[Sequence[int]],
        edge_index: Tensor,
        edge_type: Tensor,
        edge_weight: Tensor | None = None,
        plan: RelationPlan | None = None,
    ) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks, Data or list of tuples): The tracks of the nodes, see
                :class:`TemporalConv`.
            edge_index (torch.Tensor): The edges of one skeleton, which all frames share.
            edge_type (torch.Tensor): The relation of each edge.
            edge_weight (torch.Tensor, optional): The weight of each edge. (default: :obj:`None`)
            plan (RelationPlan, optional): The plan of the edges, see
                :class:`SpatialGraphConv`. (default: :obj:`None`)
        """
        tracks = tracks if isinstance(tracks, Tracks) else Tracks.of(tracks)
        if x.dim() != 2 or x.size(0) != tracks.num_nodes:
            raise ValueError(
                f"'x' must be [{tracks.num_nodes} nodes, channels] for {tracks.num_frames} frames "
                f"of {tracks.num_joints} joints (got shape {list(x.shape)})"
            )
        frames = x.reshape(tracks.num_frames, tracks.num_joints, x.size(-1))
        h = self.gcn(frames, edge_index, edge_type, edge_weight, plan=plan).flatten(0, 1)
        norm, relu, conv, norm_after, dropout = self.tcn
        h = dropout(norm_after(conv(relu(norm(h)), tracks)))
        if self.has_residual:
            if self.residual is None:
                h += x  # into the output of a norm, which no backward pass reads
            else:
                conv, norm = self.residual
                h += norm(conv(x, tracks))
        return self.relu(h)
