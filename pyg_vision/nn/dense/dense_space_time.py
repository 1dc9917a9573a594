r"""The parts of the skeleton models after ST-GCN as published, on maps of frames and joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    MaxPool2d,
    Module,
    ModuleList,
    Parameter,
    ReLU,
    Sequential,
)

from pyg_vision.nn.dense.dense_spatial_graph_conv import DenseSpatialGraphConv
from pyg_vision.nn.layers.multi_scale_temporal_conv import SIX


def point_conv(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    r"""Returns a linear map of every :obj:`stride`-th frame.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        stride (int, optional): The stride. (default: :obj:`1`)
    """
    return Conv2d(in_channels, out_channels, 1, (stride, 1))


class DenseMultiScaleTemporalConv(Module):
    r"""The :term:`dense twin` of :class:`MultiScaleTemporalConv`, on maps of frames and joints.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        stride (int, optional): The stride over frames. (default: :obj:`1`)
        kernels (list of tuples, optional): The kernel size and the dilation of each convolution.
            (default: four of three frames, with dilations from 1 to 4)
        merge (bool, optional): Whether branches are merged by a linear map. (default: :obj:`True`)
        num_joints (int, optional): The joints of a frame, if their mean takes part.
            (default: :obj:`None`)
        dropout (float, optional): Dropout behind the last norm. (default: :obj:`0.0`)
        relu (bool, optional): Whether a ReLU follows branches that are not merged.
            (default: :obj:`False`)
        residual (bool, optional): Whether the input is added to branches that are not merged.
            (default: :obj:`False`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, \lceil T / s \rceil, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseMultiScaleTemporalConv
        >>> conv = DenseMultiScaleTemporalConv(16, 32, stride=2)
        >>> conv(torch.randn(2, 16, 30, 17)).shape
        torch.Size([2, 32, 15, 17])
    """

    add_coeff: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        kernels: Sequence[tuple[int, int]] = SIX,
        merge: bool = True,
        num_joints: int | None = None,
        dropout: float = 0.0,
        relu: bool = False,
        residual: bool = False,
    ) -> None:
        super().__init__()
        count = len(kernels) + 2
        widths = [out_channels // count] * count
        widths[0 if merge else -1] += out_channels % count

        def behind(width: int) -> list[Module]:
            return [] if merge else [BatchNorm2d(width)]

        def before(width: int) -> list[Module]:
            return [point_conv(in_channels, width), BatchNorm2d(width), ReLU(inplace=True)]

        self.branches = ModuleList()
        for width, (size, dilation) in zip(widths, kernels, strict=False):
            padding = (size // 2 * dilation, 0)
            conv = Conv2d(width, width, (size, 1), (stride, 1), padding, (dilation, 1))
            self.branches.append(Sequential(*before(width), conv, *behind(width)))
        pool = MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(Sequential(*before(widths[-2]), pool, *behind(widths[-2])))
        single = point_conv(in_channels, widths[-1], stride)
        self.branches.append(Sequential(single, *behind(widths[-1])))
        self.has_residual = residual
        self.residual: Sequential | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                point_conv(in_channels, out_channels, stride), BatchNorm2d(out_channels)
            )
        self.merge: Sequential | None = None
        if merge:
            self.merge = Sequential(
                BatchNorm2d(out_channels),
                ReLU(inplace=True),
                point_conv(out_channels, out_channels),
                BatchNorm2d(out_channels),
                Dropout(dropout, inplace=True),
            )
        elif relu or dropout > 0:
            layers: list[Module] = [ReLU()] if relu else []
            self.merge = Sequential(*layers, Dropout(dropout))  # the ReLU keeps its output
        self.register_parameter(
            "add_coeff", None if num_joints is None else Parameter(torch.zeros(num_joints))
        )

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        given = x
        if self.add_coeff is not None:
            x = torch.cat((x, x.mean(-1, keepdim=True)), dim=-1)
        out = torch.cat([branch(x) for branch in self.branches], dim=1)
        if self.add_coeff is not None:
            local, whole = out[..., :-1], out[..., -1]
            out = local + torch.einsum("nct,v->nctv", whole, self.add_coeff)
        if self.has_residual:
            out = out + (given if self.residual is None else self.residual(given))
        return out if self.merge is None else self.merge(out)


class DenseLearnedGraphConv(Module):
    r"""The :term:`dense twin` of :class:`LearnedGraphConv`, on maps of frames and joints.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, V, V)` that learning begins with.

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseLearnedGraphConv
        >>> conv = DenseLearnedGraphConv(3, 64, torch.rand(3, 17, 17))
        >>> conv(torch.randn(2, 3, 30, 17)).shape
        torch.Size([2, 64, 30, 17])
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        self.conv = DenseSpatialGraphConv(in_channels, out_channels, adjacency.size(0))
        self.adjacency = Parameter(adjacency.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        out: Tensor = self.conv(x, self.adjacency)
        return out


class DenseGraphUnit(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.blocks.graph_unit.GraphUnit`.

    Args:
        conv (torch.nn.Module): The graph convolution of maps.
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseChannelTopologyConv, DenseGraphUnit
        >>> unit = DenseGraphUnit(DenseChannelTopologyConv(16, 32, torch.rand(3, 17, 17)), 16, 32)
        >>> unit(torch.randn(2, 16, 30, 17)).shape
        torch.Size([2, 32, 30, 17])
    """

    def __init__(self, conv: Module, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = conv
        self.bn = BatchNorm2d(out_channels)
        self.down: Sequential | None = None
        if in_channels != out_channels:
            self.down = Sequential(point_conv(in_channels, out_channels), BatchNorm2d(out_channels))
        self.relu = ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the unit.

        Args:
            x (torch.Tensor): The features.
        """
        out: Tensor = self.relu(self.bn(self.conv(x)) + (x if self.down is None else self.down(x)))
        return out


class DenseSpaceTimeBlock(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.blocks.graph_unit.SpaceTimeBlock`.

    Args:
        gcn (torch.nn.Module): What is called with maps.
        tcn (torch.nn.Module): The same, with a stride.
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        stride (int, optional): The stride of :obj:`tcn`. (default: :obj:`1`)
        residual (bool, optional): Whether there is a residual. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, \lceil T / s \rceil, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import (
        ...     DenseChannelTopologyConv, DenseGraphUnit, DenseMultiScaleTemporalConv,
        ...     DenseSpaceTimeBlock)
        >>> unit = DenseGraphUnit(DenseChannelTopologyConv(16, 32, torch.rand(3, 17, 17)), 16, 32)
        >>> block = DenseSpaceTimeBlock(unit, DenseMultiScaleTemporalConv(32, 32), 16, 32)
        >>> block(torch.randn(2, 16, 30, 17)).shape
        torch.Size([2, 32, 30, 17])
    """

    def __init__(
        self,
        gcn: Module,
        tcn: Module,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.gcn, self.tcn = gcn, tcn
        self.has_residual = residual
        self.residual: Sequential | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                point_conv(in_channels, out_channels, stride), BatchNorm2d(out_channels)
            )
        self.relu = ReLU(inplace=residual)  # of a sum, which no backward pass reads

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The features.
        """
        out: Tensor = self.tcn(self.gcn(x))
        if self.has_residual:
            out = out + (x if self.residual is None else self.residual(x))
        out = self.relu(out)
        return out
