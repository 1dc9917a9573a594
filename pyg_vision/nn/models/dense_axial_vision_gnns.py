r"""MobileViG and the models after it as published: the baselines and the proof of parity."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d, Module, Sequential
from torch_geometric.data import Data

from pyg_vision.nn.blocks.inverted_residual import InvertedResidual
from pyg_vision.nn.dense.dense_blocks import DenseFFN
from pyg_vision.nn.dense.dense_layers import Conv1x1, dense_mlp
from pyg_vision.nn.dense.dense_rules import (
    DenseAxialConv,
    DenseDynamicAxialConv,
    DenseGatedAxialConv,
    DenseGraphMixer,
    DenseRelativeAttention,
)
from pyg_vision.nn.models._axial_vision_gnn import AxialVisionGNN, Mixer
from pyg_vision.nn.models._vision_block import VisionBlock
from pyg_vision.nn.models._vision_gnn import VisionGNN
from pyg_vision.nn.models.adaptvig import AdaptViG
from pyg_vision.nn.models.greedyvig import GreedyViG
from pyg_vision.nn.models.mobilevig import MobileViG
from pyg_vision.nn.models.mobilevigv2 import MobileViGv2
from pyg_vision.ops import NeighborTable


class DenseAxialBlock(VisionBlock):
    r"""A block whose halves take maps, and that builds no graph."""

    @staticmethod
    def to_nodes(x: Tensor) -> Tensor:
        r"""Returns maps as they are."""
        return x

    @staticmethod
    def to_map(x: Tensor, height: int, width: int) -> Tensor:
        r"""Returns maps as they are."""
        return x

    def run(  # type: ignore[override]
        self,
        x: Tensor,
        neighbors: NeighborTable | None,
        grid_size: tuple[int, int],
        **options: int,
    ) -> tuple[Tensor, NeighborTable | None]:
        r"""Returns the maps after the block; there is no graph."""
        if neighbors is not None:
            raise TypeError("a dense twin shifts maps, it takes no 'neighbors'")
        return self["ffn"](self["grapher"](x)), None


class DenseMaps(VisionGNN):
    r"""What the dense twins of models whose graphs are rules share: maps throughout."""

    _memory_format = torch.contiguous_format
    _block = DenseAxialBlock

    def forward_graphs(
        self, x: Tensor | Data, neighbors: Sequence[NeighborTable] | None = None
    ) -> tuple[Tensor, list[NeighborTable]]:
        r"""Raises, since a dense twin builds no graphs."""
        raise TypeError("a dense twin shifts maps and has no graphs: ask the model itself")

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        r"""Pools and classifies the map of :meth:`forward_features`.

        Args:
            x (torch.Tensor): The map.
            pre_logits (bool, optional): If :obj:`True`, only pools. (default: :obj:`False`)
        """
        pooled = F.adaptive_avg_pool2d(x, 1)
        return _flat(pooled if pre_logits else self.head(pooled))


class DenseAxialVisionGNN(DenseMaps, AxialVisionGNN):
    r"""A dense twin, made of published parts."""

    _layers = Sequential

    def __init__(self, *, mixer: Mixer, **kwargs: Any) -> None:
        super().__init__(
            mixer=mixer,
            ffn=DenseFFN,
            local=partial(InvertedResidual, mlp=dense_mlp),
            linear=Conv1x1,
            norm_layer=BatchNorm2d,
            **kwargs,
        )

    def forward_both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns the logits of both classifiers.

        Args:
            x (torch.Tensor): Images :math:`(B, C_{in}, H, W)`.
        """
        pooled = self.forward_head(self.forward_features(x), pre_logits=True)
        labels, teacher = self._both(pooled[:, :, None, None])
        return _flat(labels), _flat(teacher)


def bound(cls: type[Module], args: Any, kwargs: Any) -> dict[str, Any]:
    r"""Returns the arguments of a model by their names, with its defaults, but for its parts.

    Args:
        cls (type): The class of the model.
        args (tuple): Arguments by place.
        kwargs (dict): Arguments by name.
    """
    found = inspect.signature(cls).bind(*args, **kwargs)
    found.apply_defaults()
    options = dict(found.arguments)
    parts = options.pop("parts", {})
    if options.pop("mixer", None) is not None or parts:
        raise TypeError("a dense twin is made of published parts, it takes none")
    return options


def _flat(x: Tensor) -> Tensor:
    return x.squeeze(-1).squeeze(-1)


class DenseMobileViG(DenseAxialVisionGNN, MobileViG):
    r"""The :term:`dense twin` of :class:`MobileViG`, keeping the published sequence of
    operations:
    maps :math:`(B, C, H, W)`, shifted, masked and compared as a whole. It takes the arguments of
    :class:`MobileViG` but for its parts, and shares its state dict. Its features are maps.

    Args:
        *args (optional): Arguments of :class:`MobileViG`.
        **kwargs (optional): Arguments of :class:`MobileViG`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseMobileViG, MobileViG
        >>> options = {"channels": (8, 16, 24, 32), "blocks": ((1, 0), (1, 0), (1, 0), (0, 1))}
        >>> model, twin = MobileViG(**options).eval(), DenseMobileViG(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options = bound(MobileViG, args, kwargs)
        act = options["act"]

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            conv = DenseAxialConv(width, 2 * width, "svga", step, reverse=True, act=act)
            return DenseGraphMixer(width, conv, 2 * width, drop_path=rate)

        super().__init__(**options, mixer=own)


class DenseMobileViGv2(DenseAxialVisionGNN, MobileViGv2):
    r"""The :term:`dense twin` of :class:`MobileViGv2`, keeping the published sequence of
    operations:
    maps :math:`(B, C, H, W)`, shifted, masked and compared as a whole. It takes the arguments of
    :class:`MobileViGv2` but for its parts, and shares its state dict. Its features are maps.

    Args:
        *args (optional): Arguments of :class:`MobileViGv2`.
        **kwargs (optional): Arguments of :class:`MobileViGv2`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseMobileViGv2, MobileViGv2
        >>> options = {"channels": (8, 16, 24, 32), "blocks": ((1, 0), (1, 1), (1, 1), (1, 1))}
        >>> model, twin = MobileViGv2(**options).eval(), DenseMobileViGv2(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options = bound(MobileViGv2, args, kwargs)
        act, scale = options["act"], options["layer_scale"]

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            conv = DenseAxialConv(width, width, "mgc", step, act=act)
            return DenseGraphMixer(width, conv, width, True, scale, rate)

        super().__init__(**options, mixer=own)


class DenseGreedyViG(DenseAxialVisionGNN, GreedyViG):
    r"""The :term:`dense twin` of :class:`GreedyViG`, keeping the published sequence of
    operations:
    maps :math:`(B, C, H, W)`, shifted, masked and compared as a whole. It takes the arguments of
    :class:`GreedyViG` but for its parts, and shares its state dict. Its features are maps.

    Args:
        *args (optional): Arguments of :class:`GreedyViG`.
        **kwargs (optional): Arguments of :class:`GreedyViG`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseGreedyViG, GreedyViG
        >>> options = {"channels": (8, 16, 24, 32), "blocks": ((1, 1), (1, 1), (1, 1), (1, 1))}
        >>> model, twin = GreedyViG(**options).eval(), DenseGreedyViG(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options = bound(GreedyViG, args, kwargs)
        act, scale = options["act"], options["layer_scale"]

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            conv = DenseDynamicAxialConv(width, width, step, act=act)
            return DenseGraphMixer(width, conv, width, True, scale, rate)

        super().__init__(**options, mixer=own)


class DenseAdaptViG(DenseAxialVisionGNN, AdaptViG):
    r"""The :term:`dense twin` of :class:`AdaptViG`, keeping the published sequence of
    operations:
    maps :math:`(B, C, H, W)`, shifted, masked and compared as a whole. It takes the arguments of
    :class:`AdaptViG` but for its parts, and shares its state dict. Its features are maps.

    Args:
        *args (optional): Arguments of :class:`AdaptViG`.
        **kwargs (optional): Arguments of :class:`AdaptViG`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAdaptViG, AdaptViG
        >>> options = {"channels": (8, 16, 24, 32), "blocks": ((1, 1), (1, 1), (1, 1), (1, 1))}
        >>> model, twin = AdaptViG(**options).eval(), DenseAdaptViG(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options = bound(AdaptViG, args, kwargs)
        act, scale, channels = options["act"], options["layer_scale"], options["channels"]

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            conv: Module = DenseGatedAxialConv(width, width, step, act=act)
            if stage == len(channels) - 1:
                conv = DenseRelativeAttention(width, width, act=act)
            return DenseGraphMixer(width, conv, width, True, scale, rate)

        super().__init__(**options, mixer=own)
