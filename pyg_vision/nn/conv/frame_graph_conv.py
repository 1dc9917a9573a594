r"""Graph convolutions whose edges have weights that follow from what they join."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pyg_vision._validation import validation_enabled
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.fusible_conv import FusibleConv
from pyg_vision.nn.layers.track_means import to_frames


class FrameGraphConv(FusibleConv):
    r"""The base of graph convolutions that give each edge a weight for each track.

    .. math::
        \mathbf{h}^{(r)}_i = \sum_{j \in \mathcal{N}(i)} \mathbf{w}^{(r)}_{ji} \odot
        \mathbf{z}^{(r)}_j

    A subclass says what nodes send (:meth:`sent`), what edges weigh (:meth:`edge_weights`) and what
    becomes of the sums (:meth:`merged`). All frames of a track have the same weights. On the
    complete graph of a frame it may compute the sums by products (:meth:`by_products`).

    Args:
        adjacency (torch.Tensor): Weights :math:`(R, |\mathcal{V}|, |\mathcal{V}|)` from row to
            column; with :obj:`edge_index`, :math:`(R, |\mathcal{E}|)`.
        edge_index (torch.Tensor, optional): The edges of all relations. (default: those of the
            complete graph)
        **kwargs (optional): Arguments of :class:`torch_geometric.nn.conv.MessagePassing`.
    """

    fused_aggr = ("add", "sum")
    edge_index: Tensor

    def __init__(self, adjacency: Tensor, edge_index: Tensor | None = None, **kwargs: Any) -> None:
        super().__init__(aggr="add", **kwargs)
        self.complete = edge_index is None
        if edge_index is None:
            if adjacency.dim() != 3 or adjacency.size(1) != adjacency.size(2):
                raise ValueError(
                    f"'adjacency' must be [relations, nodes, nodes] (got {list(adjacency.shape)})"
                )
            edge_index = torch.ones(adjacency.shape[1:], device=adjacency.device).nonzero().t()
        elif edge_index.dim() != 2 or adjacency.dim() != 2:
            raise ValueError(
                f"'edge_index' must be [2, edges] and 'adjacency' [relations, edges] (got "
                f"{list(edge_index.shape)} and {list(adjacency.shape)})"
            )
        elif edge_index.size(1) != adjacency.size(1):
            raise ValueError(
                f"'adjacency' must have a weight for each of {edge_index.size(1)} edges (got "
                f"{adjacency.size(1)})"
            )
        self.num_relations = adjacency.size(0)
        self.num_joints = adjacency.size(1) if self.complete else None
        self.register_buffer("edge_index", edge_index.contiguous(), persistent=False)

    def sent(self, x: Tensor) -> Tensor:
        r"""Returns what nodes send, :math:`(F, R, |\mathcal{V}|, C)`.

        Args:
            x (torch.Tensor): The nodes of frames :math:`(F, |\mathcal{V}|, C_{in})`.
        """
        raise NotImplementedError

    def edge_weights(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""Returns what edges weigh, :math:`(\textrm{num_tracks}, R, |\mathcal{E}|, C)`, or one
        weight for all channels.

        Args:
            x (torch.Tensor): The nodes of frames.
            tracks (Tracks, optional): The tracks of the frames.
        """
        raise NotImplementedError

    def merged(self, sums: Tensor) -> Tensor:
        r"""Returns what becomes of the sums :math:`(F, R, |\mathcal{V}|, C)`.

        Args:
            sums (torch.Tensor): The sums.
        """
        raise NotImplementedError

    def by_products(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""Returns what the layer returns, on the complete graph.

        Args:
            x (torch.Tensor): The nodes of frames.
            tracks (Tracks, optional): The tracks of the frames.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, tracks: Tracks | None = None) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The nodes of frames :math:`(F, |\mathcal{V}|, C_{in})`, or of a graph
                :math:`(|\mathcal{V}|, C_{in})`.
            tracks (Tracks, optional): The tracks of the frames. (default: all are of one)
        """
        if x.dim() == 2:
            out: Tensor = self.forward(x.unsqueeze(0), tracks)
            return out.squeeze(0)
        self._check(x, tracks)
        if self.complete and self.fusible:
            return self.by_products(x, tracks)
        weights = to_frames(self.edge_weights(x, tracks), tracks, x.size(0))
        # propagate_type: (x: Tensor, edge_weight: Tensor)
        sums = self.propagate(self.edge_index, x=self.sent(x), edge_weight=weights)
        return self.merged(sums)

    def message(self, x_j: Tensor, edge_weight: Tensor) -> Tensor:
        r"""What a neighbour sends, weighted."""
        return edge_weight * x_j

    def _check(self, x: Tensor, tracks: Tracks | None) -> None:
        channels: int = self.in_channels
        nodes = x.size(1) if self.num_joints is None else self.num_joints
        if x.dim() != 3 or x.size(2) != channels or x.size(1) != nodes:
            raise ValueError(
                f"'x' must be [frames, {nodes} nodes, in_channels={channels}] (got shape "
                f"{list(x.shape)})"
            )
        if tracks is not None and x.size(0) != tracks.num_frames:
            raise ValueError(
                f"'x' must be of {tracks.num_frames} frames, those of its tracks (got {x.size(0)})"
            )
        if not self.complete and validation_enabled(x) and int(self.edge_index.max()) >= nodes:
            raise ValueError(
                f"'edge_index' must lie in 0 … {nodes - 1} (got {int(self.edge_index.max())})"
            )
