r"""WiGNet as published: the baseline and the proof of parity."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import BatchNorm2d, Module

from pyg_vision.nn.dense.dense_blocks import DenseFFN
from pyg_vision.nn.dense.dense_layers import Conv1x1
from pyg_vision.nn.dense.dense_window_mixer import DenseWindowMixer
from pyg_vision.nn.graph.windowed_knn_graph import WindowedKNNGraph
from pyg_vision.nn.models.dense_axial_vision_gnns import DenseAxialBlock, DenseMaps
from pyg_vision.nn.models.wignet import WiGNet
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class DenseWindowBlock(DenseAxialBlock):
    r"""A block whose halves take maps, and a graph of neighbours inside windows."""

    def run(  # type: ignore[override]
        self,
        x: Tensor,
        neighbors: NeighborTable | None,
        grid_size: Grid,
        **options: int,
    ) -> tuple[Tensor, NeighborTable | None]:
        r"""Returns the maps after the block, and the graph that was given."""
        return self["ffn"](self["grapher"](x, neighbors)), neighbors


class DenseWiGNet(DenseMaps, WiGNet):
    r"""The :term:`dense twin` of :class:`WiGNet`, keeping the published sequence of operations:
    rolled maps, windows, :func:`torch.topk` on the distance matrix of each window, a maximum over
    gathered edges, windows merged and rolled back. It takes the arguments of :class:`WiGNet` but
    for its parts, and shares its state dict. Its features are maps :math:`(B, C, H, W)`, whose
    sides are multiples of the window or fit into one.

    Args:
        *args (optional): Arguments of :class:`WiGNet`.
        **kwargs (optional): Arguments of :class:`WiGNet`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseWiGNet, WiGNet
        >>> options = {"channels": (16, 32), "depths": (2, 2), "window": 4, "image_size": 64}
        >>> model, twin = WiGNet(**options).eval(), DenseWiGNet(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    _block = DenseWindowBlock

    def __init__(self, *args: Any, act: str = "gelu", **kwargs: Any) -> None:
        def own(width: int, graph: WindowedKNNGraph, rate: float) -> Module:
            return DenseWindowMixer(width, graph, act, rate)

        super().__init__(  # type: ignore[misc]  # of WiGNet
            *args,
            act=act,
            mixer=own,
            ffn=DenseFFN,
            linear=Conv1x1,
            norm_layer=BatchNorm2d,
            **kwargs,
        )

    def _of_different_sizes(self, x: object) -> list[Tensor] | None:
        return None  # as published: images of one size
