r"""The block of ST-GCN as published."""

from __future__ import annotations

from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, Dropout, Module, ReLU, Sequential

from pyg_vision.nn.dense.dense_spatial_graph_conv import DenseSpatialGraphConv
from pyg_vision.nn.layers.fold_norms import fold_behind_sum


class DenseSTGCNBlock(Module):
    r"""The :term:`dense twin` of :class:`STGCNBlock`, on maps of frames and joints, see
    :class:`STGCNBlock`.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        num_relations (int, optional): The number of relations of edges. (default: :obj:`3`)
        kernel_size (int, optional): The frames of the temporal convolution. (default: :obj:`9`)
        stride (int, optional): Its stride. (default: :obj:`1`)
        dropout (float, optional): Dropout after it. (default: :obj:`0.0`)
        residual (bool, optional): Whether there is a residual. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`, adjacency :math:`(R, V, V)` from row to
          column
        - **output:** features :math:`(N, C_{out}, \lceil T / s \rceil, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.data import adjacency_stack, skeleton_graph
        >>> from pyg_vision.nn import DenseSTGCNBlock
        >>> adj = adjacency_stack(skeleton_graph("coco", dtype=torch.float), 3, 17)
        >>> DenseSTGCNBlock(3, 16)(torch.randn(2, 3, 30, 17), adj).shape
        torch.Size([2, 16, 30, 17])
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
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"'kernel_size' must be odd (got {kernel_size})")
        padding = (kernel_size // 2, 0)
        self.gcn = DenseSpatialGraphConv(in_channels, out_channels, num_relations)
        self.tcn = Sequential(
            BatchNorm2d(out_channels),
            ReLU(inplace=True),
            Conv2d(out_channels, out_channels, (kernel_size, 1), (stride, 1), padding),
            BatchNorm2d(out_channels),
            Dropout(dropout, inplace=True),
        )
        self.has_residual = residual
        self.residual: Sequential | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                Conv2d(in_channels, out_channels, 1, (stride, 1)), BatchNorm2d(out_channels)
            )
        self.relu = ReLU(inplace=True)

    def fuse_layers(self) -> None:
        r"""Folds the norm behind the graph convolution into it; its term is not a message's."""
        fold_behind_sum(self.gcn, self.tcn)

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The features.
            adj (torch.Tensor): The adjacency.
        """
        out: Tensor = self.tcn(self.gcn(x, adj))
        if self.has_residual:
            out = out + (x if self.residual is None else self.residual(x))
        return self.relu(out)
