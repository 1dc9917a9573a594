r"""WiGNet: a pyramid whose graphs are searched in windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Module,
    ModuleDict,
    ModuleList,
    Parameter,
    Sequential,
)

from pyg_vision._checks import check_int, check_ints, check_rate
from pyg_vision.data.size import as_size
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.graph.windowed_knn_graph import WindowedKNNGraph
from pyg_vision.nn.layers.drop_path import drop_path_rates
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.models._pyramid import STEM_STRIDE, patches_of, stage_grids, stage_maps
from pyg_vision.nn.models._vig_describe import describe_windowed
from pyg_vision.nn.models._vig_names import window_rules
from pyg_vision.nn.models._vision_block import VisionBlock
from pyg_vision.nn.models._vision_gnn import VisionGNN
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.typing import Backend, Grid
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules

GROUPS = 4

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "wignet_ti": {"channels": (48, 96, 240, 384), "depths": (2, 2, 6, 2)},
    "wignet_s": {"channels": (80, 160, 400, 640), "depths": (2, 2, 6, 2)},
    "wignet_m": {"channels": (96, 192, 384, 768), "depths": (2, 2, 16, 2)},
    "wignet_b": {"channels": (128, 256, 512, 1024), "depths": (2, 2, 18, 2)},
}


class WiGNet(VisionGNN):
    r"""WiGNet from the `"WiGNet: Windowed Vision Graph Neural Network"
    <https://arxiv.org/abs/2410.00807>`_ paper.

    The pyramid of :class:`PyramidViG`, whose blocks search for neighbours inside windows, see
    :class:`WindowedKNNGraph`: the windows of every second block of a stage are shifted by half of
    their side. The cost is linear in the area of an image, which may have any size.

    The defaults are those of WiGNet-Ti at 224 pixels, see :func:`wignet_ti`, :func:`wignet_s`,
    :func:`wignet_m` and :func:`wignet_b`; the published models for 256 pixels have
    :obj:`image_size=256`, :obj:`window=8` and :obj:`adapt_knn=True`. The same state dict loads into
    :class:`DenseWiGNet`, which computes the same as published.

    Args:
        channels (list of int, optional): Size of each node, for each stage.
            (default: :obj:`(48, 96, 240, 384)`)
        depths (list of int, optional): The number of blocks of each stage.
            (default: :obj:`(2, 2, 6, 2)`)
        k (int, optional): The neighbours of a patch. (default: :obj:`9`)
        window (int, optional): The patches of a side of a window. (default: :obj:`7`)
        adapt_knn (bool, optional): Whether patches with fewer sources have fewer neighbours, see
            :class:`WindowedKNNGraph`. (default: :obj:`False`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        num_classes (int, optional): The number of classes, :obj:`0` for none, which makes the
            head the identity. (default: :obj:`1000`)
        drop_path (float, optional): Stochastic depth of the last block. (default: :obj:`0.0`)
        dropout (float, optional): Dropout in the head. (default: :obj:`0.0`)
        in_channels (int, optional): Channels of an image. (default: :obj:`3`)
        image_size (int or tuple, optional): Height and width for which the position embedding
            is made; other sizes resample it. (default: :obj:`224`)
        knn_backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)
        stem (Callable, optional): Makes patch embeddings, called as :class:`Stem`.
            (default: :class:`Stem`)
        mixer (Callable, optional): Makes the first half of a block, from its channels, its graph
            and a probability of stochastic depth. (default: as published)
        ffn (Callable, optional): Makes its second half, called as :class:`FFN`.
            (default: :class:`FFN`)
        linear (Callable, optional): Makes a linear layer of the head, from the sizes of input and
            output. (default: :class:`GroupedLinear`)
        norm_layer (Callable, optional): Makes the norm of the head.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Raises:
        ValueError: If the tuples are not of one length, or a number is out of range.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import WiGNet
        >>> model = WiGNet((16, 32), (2, 2), window=4, num_classes=10, image_size=64).eval()
        >>> model(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
        >>> _, graphs = model.forward_graphs(torch.rand(2, 3, 64, 96))
        >>> graphs[0].index.shape  # of 16 x 24 patches
        torch.Size([2, 384, 9])
    """

    def __init__(
        self,
        channels: Sequence[int] = (48, 96, 240, 384),
        depths: Sequence[int] = (2, 2, 6, 2),
        k: int = 9,
        window: int = 7,
        adapt_knn: bool = False,
        act: str = "gelu",
        num_classes: int = 1000,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        in_channels: int = 3,
        image_size: int | Sequence[int] = 224,
        knn_backend: Backend = "auto",
        stem: Callable[[int, int, int, str], Module] = Stem,
        mixer: Callable[[int, WindowedKNNGraph, float], Module] | None = None,
        ffn: Callable[..., Module] = FFN,
        linear: Callable[[int, int], Module] = GroupedLinear,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__(in_channels, num_classes, act, dropout, linear, norm_layer)
        self.channels = check_ints("channels", channels)
        self.depths = check_ints("depths", depths)
        if len(self.channels) != len(self.depths):
            raise ValueError(
                f"'channels' and 'depths' must be of one length, one of each for a stage (got "
                f"{len(self.channels)} and {len(self.depths)})"
            )
        self.num_features = self.channels[-1]
        self.image_size = as_size("image_size", image_size)
        self.window = check_int("window", window)
        self.adapt_knn = adapt_knn
        check_rate("drop_path", drop_path)

        def own(width: int, graph: WindowedKNNGraph, rate: float) -> Module:
            conv = MRConv(width, 2 * width, groups=GROUPS, interleave=True, norm="batch", act=act)
            return GraphMixer(width, graph, conv, 2 * width, drop_path=rate)

        make = own if mixer is None else mixer
        self.stem = stem(in_channels, self.channels[0], STEM_STRIDE, act)
        grid = patches_of(*self.image_size)
        self.pos_embed = Parameter(torch.zeros(1, self.channels[0], *grid))
        rates = iter(drop_path_rates(drop_path, sum(self.depths)))
        self.stages = ModuleList()
        for i, (width, depth) in enumerate(zip(self.channels, self.depths, strict=True)):
            stage = ModuleDict()
            if i > 0:
                stage["downsample"] = Sequential(
                    Conv2d(self.channels[i - 1], width, 3, stride=2, padding=1), BatchNorm2d(width)
                )
            blocks = ModuleList()
            for number in range(depth):
                shift = window // 2 if number % 2 else 0
                position = RelativePosition(width, (window, window))
                graph = WindowedKNNGraph(k, window, shift, adapt_knn, position, knn_backend)
                rate = next(rates)
                second = ffn(width, act=act, drop_path=rate)
                blocks.append(self._block(make(width, graph, rate), second))
            stage["blocks"] = blocks
            self.stages.append(stage)
        self.head = self._make_head()
        self.reset_parameters()

    @property
    def published(self) -> KeyRules:
        r"""How published checkpoints map onto the model."""
        return window_rules(self.depths)

    def block_grids(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        r"""Returns the rows and columns of the patches of each block, and of those that their
        neighbours are chosen from, which are the same; an edge is inside a window of them.

        Args:
            height (int): The height of the image in pixels.
            width (int): Its width.
        """
        grids = stage_grids(*patches_of(height, width), len(self.depths))
        return [
            (grid, grid)
            for grid, depth in zip(grids, self.depths, strict=True)
            for _ in range(depth)
        ]

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[VisionBlock]]]:
        for stage in self.stages:
            parts = dict(stage.named_children())
            yield parts.get("downsample"), parts["blocks"]  # type: ignore[misc]

    def _map_info(self) -> list[tuple[int, int]]:
        return stage_maps(self.channels)


class WiGNet_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`wignet_ti`: none yet. The authors released one file, of
    WiGNet-Ti for 256 pixels, behind a page from which no program can download it;
    :func:`~pyg_vision.weights.from_published` reads it.

    Example:
        >>> from pyg_vision.nn import WiGNet_Ti_Weights
        >>> list(WiGNet_Ti_Weights)
        []
    """


@register_model()
def wignet_ti(
    *, weights: WiGNet_Ti_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> WiGNet:
    r"""WiGNet-Ti of the `"WiGNet: Windowed Vision Graph Neural Network"
    <https://arxiv.org/abs/2410.00807>`_ paper, 10.714 M parameters without the frozen bias.

    Args:
        weights (WiGNet_Ti_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`WiGNet`.

    Example:
        >>> from pyg_vision.nn import wignet_ti
        >>> model = wignet_ti(num_classes=10)
        >>> model.channels, model.depths
        ((48, 96, 240, 384), (2, 2, 6, 2))
    """
    options = SIZES["wignet_ti"] | kwargs
    return build(WiGNet, WiGNet_Ti_Weights.verify(weights), progress, options)


class WiGNet_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`wignet_s`: none yet. The authors did not release them.

    Example:
        >>> from pyg_vision.nn import WiGNet_S_Weights
        >>> list(WiGNet_S_Weights)
        []
    """


@register_model()
def wignet_s(
    *, weights: WiGNet_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> WiGNet:
    r"""WiGNet-S of the `"WiGNet: Windowed Vision Graph Neural Network"
    <https://arxiv.org/abs/2410.00807>`_ paper, 27.252 M parameters without the frozen bias.

    Args:
        weights (WiGNet_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`WiGNet`.

    Example:
        >>> from pyg_vision.nn import wignet_s
        >>> model = wignet_s(num_classes=10)
        >>> model.channels, model.depths
        ((80, 160, 400, 640), (2, 2, 6, 2))
    """
    options = SIZES["wignet_s"] | kwargs
    return build(WiGNet, WiGNet_S_Weights.verify(weights), progress, options)


class WiGNet_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`wignet_m`: none yet. The authors did not release them.

    Example:
        >>> from pyg_vision.nn import WiGNet_M_Weights
        >>> list(WiGNet_M_Weights)
        []
    """


@register_model()
def wignet_m(
    *, weights: WiGNet_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> WiGNet:
    r"""WiGNet-M of the `"WiGNet: Windowed Vision Graph Neural Network"
    <https://arxiv.org/abs/2410.00807>`_ paper, 49.526 M parameters without the frozen bias.

    Args:
        weights (WiGNet_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`WiGNet`.

    Example:
        >>> from pyg_vision.nn import wignet_m
        >>> model = wignet_m(num_classes=10)
        >>> model.channels, model.depths
        ((96, 192, 384, 768), (2, 2, 16, 2))
    """
    options = SIZES["wignet_m"] | kwargs
    return build(WiGNet, WiGNet_M_Weights.verify(weights), progress, options)


class WiGNet_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`wignet_b`: none yet. The authors did not release them.

    Example:
        >>> from pyg_vision.nn import WiGNet_B_Weights
        >>> list(WiGNet_B_Weights)
        []
    """


@register_model()
def wignet_b(
    *, weights: WiGNet_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> WiGNet:
    r"""WiGNet-B of the `"WiGNet: Windowed Vision Graph Neural Network"
    <https://arxiv.org/abs/2410.00807>`_ paper, 92.980 M parameters without the frozen bias.

    Args:
        weights (WiGNet_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`WiGNet`.

    Example:
        >>> from pyg_vision.nn import wignet_b
        >>> model = wignet_b(num_classes=10)
        >>> model.channels, model.depths
        ((128, 256, 512, 1024), (2, 2, 18, 2))
    """
    options = SIZES["wignet_b"] | kwargs
    return build(WiGNet, WiGNet_B_Weights.verify(weights), progress, options)


register_family("pyg_vision.nn.WiGNet", describe_windowed)
