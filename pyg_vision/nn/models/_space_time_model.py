r"""What the families after ST-GCN share: blocks of space and time, one behind another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Module, ModuleList

from pyg_vision._checks import check_rate
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.partition import adjacency_stack, num_relations, skeleton_graph
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.person_norm import PersonNorm
from pyg_vision.nn.models._skeleton_classifier import SkeletonClassifier
from pyg_vision.nn.models.stage import Stage, block_sizes
from pyg_vision.typing import Partition

Norm = Callable[[int], Module]


class SpaceTimeModel(SkeletonClassifier):
    r"""A classifier whose blocks look at nodes and tracks alone.

    A family says in :meth:`make_block` what its blocks are.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes, :obj:`0` for none.
        layout (str or SkeletonLayout): The skeleton.
        partition (str): The partition strategy of the edges that learning begins with.
        stages (list of tuples): The channels, the number of blocks and the stride of each stage.
        dropout (float): Dropout in all blocks but the first.
        padding (str, optional): :obj:`"published"` to fill up batches.
        window ((int, int), optional): To how many frames and persons.
        norm_layer (Callable, optional): Makes each norm, of so many channels.
        num_persons (int, optional): The persons whose inputs are normalised apart, see
            :class:`PersonNorm`. (default: :obj:`None`, all alike)
    """

    # The weights that norms behind graph convolutions begin with.
    norm_start = 1.0

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout,
        partition: Partition,
        stages: Sequence[Stage | tuple[int, ...]],
        dropout: float,
        padding: str | None,
        window: tuple[int, int] | None,
        norm_layer: Norm | None,
        num_persons: int | None = None,
    ) -> None:
        super().__init__(in_channels, num_classes, layout, padding, window)
        check_rate("dropout", dropout)
        self.partition = partition
        norm = BatchNorm1d if norm_layer is None else norm_layer
        features = self.layout.num_joints * self.in_channels
        self.num_persons = num_persons
        self.data_bn = (
            norm(features) if num_persons is None else PersonNorm(num_persons, features, norm)
        )
        sizes = block_sizes(stages)
        before = [in_channels, *(channels for channels, _ in sizes)]
        self.blocks = ModuleList(
            self.make_block(before[i], channels, stride, i > 0, dropout if i > 0 else 0.0, norm)
            for i, (channels, stride) in enumerate(sizes)
        )
        self._num_features = sizes[-1][0]
        self.fcn = self.make_head()
        self._start_norms()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters, as published."""
        super().reset_parameters()
        self._start_norms()

    def _start_norms(self) -> None:
        for block in self.blocks:
            weight = getattr(block.gcn.bn, "weight", None)  # type: ignore[union-attr]
            if isinstance(weight, Tensor):
                torch.nn.init.constant_(weight, self.norm_start)

    def make_block(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        residual: bool,
        dropout: float,
        norm: Norm,
    ) -> Module:
        r"""Returns a block.

        Args:
            in_channels (int): Size of each input.
            out_channels (int): Size of each output.
            stride (int): The stride over frames.
            residual (bool): Whether there is a residual.
            dropout (float): Dropout behind the temporal convolution.
            norm (Callable): Makes a norm of so many channels.
        """
        raise NotImplementedError

    def adjacency(self) -> Tensor:
        r"""Returns the matrices :math:`(K, V, V)` that learning begins with."""
        graph = skeleton_graph(self.layout, self.partition)
        stack = adjacency_stack(graph, num_relations(self.partition), self.layout.num_joints)
        return stack.float()

    def node_features(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tracks]:
        r"""Returns the features of the nodes after the last block, and their tracks: each
        stride leaves every second frame.

        Args:
            x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
            tracks (Tracks): The persons, frames and joints that the nodes are.
        """
        frames = x.reshape(tracks.num_frames, -1)
        frames = self.data_bn(frames) if self.num_persons is None else self.data_bn(frames, tracks)
        x = frames.reshape(x.shape)
        for block in self.blocks:
            x = block(x, tracks)
            tracks = tracks.strided(block.stride)  # type: ignore[arg-type]
        return x, tracks
