r"""AdaptViG: gated graphs, and attention in the last stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import Module

from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.conv.gated_mr_conv import GatedMRConv
from pyg_vision.nn.conv.relative_attention import RelativeAttention
from pyg_vision.nn.graph.axial_graph import AxialGraph
from pyg_vision.nn.graph.complete_graph import CompleteGraph
from pyg_vision.nn.models._axial_names import axial_rules
from pyg_vision.nn.models._axial_vision_gnn import AxialVisionGNN, Mixer
from pyg_vision.nn.models._axial_weights import register_axial, released
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid
from pyg_vision.weights import WeightsEnum
from pyg_vision.weights.key_rules import KeyRules

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "adaptvig_s": {
        "channels": (32, 64, 128, 256),
        "blocks": ((3, 3), (3, 3), (9, 3), (3, 3)),
        "embed_channels": 768,
    },
    "adaptvig_m": {
        "channels": (48, 96, 192, 320),
        "blocks": ((4, 4), (4, 4), (12, 4), (4, 4)),
        "embed_channels": 768,
    },
    "adaptvig_b": {
        "channels": (48, 96, 192, 384),
        "blocks": ((5, 5), (5, 5), (15, 5), (5, 5)),
        "embed_channels": 768,
    },
}
REPOSITORY = "SLDGroup/AdaptViG"
PAPER = "https://arxiv.org/abs/2511.09942"


class _GatedMixer(GraphMixer):
    graph: AxialGraph

    def _convolve(self, x: Tensor, table: NeighborTable, grid_size: Grid, given: bool) -> Tensor:
        out: Tensor = self.conv(x, table, self.graph.first_of_axes(grid_size, x.device))
        return out


class _AttentionMixer(GraphMixer):
    def _convolve(self, x: Tensor, table: NeighborTable, grid_size: Grid, given: bool) -> Tensor:
        out: Tensor = self.conv(x, table if given else None)  # its own is complete
        return out


class AdaptViG(AxialVisionGNN):
    r"""AdaptViG from the `"AdaptViG: Adaptive Vision GNN with Exponential Decay Gating"
    <https://arxiv.org/abs/2511.09942>`_ paper.

    Inverted residuals, and behind them in every stage a :class:`ConditionalPosition` and a graph
    convolution: in all stages but the last a :class:`GatedMRConv` over the patches at powers of two
    of rows and columns and, without a gate, at one step, see :class:`AxialGraph`; in the last a
    :class:`RelativeAttention` over all patches.

    The defaults are those of :func:`adaptvig_s`. The same state dict loads into
    :class:`DenseAdaptViG`, which computes the same as published.

    Args:
        channels (list of int, optional): Size of each node, for each stage; the first is even.
            (default: :obj:`(32, 64, 128, 256)`)
        blocks (list of tuples, optional): The numbers of local and of graph blocks of each stage.
            (default: :obj:`((3, 3), (3, 3), (9, 3), (3, 3))`)
        steps (list of int, optional): The step of the ungated neighbours of each stage; the last
            one has none. (default: :obj:`(8, 4, 2, 1)`)
        embed_channels (int, optional): Channels of the head. (default: :obj:`768`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        num_classes (int, optional): The number of classes, :obj:`0` for none, which makes the
            head the identity. (default: :obj:`1000`)
        drop_path (float, optional): Stochastic depth of the last block. (default: :obj:`0.0`)
        dropout (float, optional): Dropout in the head. (default: :obj:`0.0`)
        in_channels (int, optional): Channels of an image. (default: :obj:`3`)
        image_size (int or tuple, optional): Height and width that exporters and benchmarks take
            for an image; any other will do. (default: :obj:`224`)
        distilled (bool, optional): Whether the head has a second classifier, which learns from a
            teacher, see :meth:`forward_both`; :meth:`forward` returns the mean of both.
            (default: :obj:`True`)
        layer_scale (float, optional): The first value of every layer scale.
            (default: :obj:`1e-5`)
        mixer (Callable, optional): Makes the first half of a graph block, from the stage, its
            channels, its step and a probability of stochastic depth. (default: as published)
        **parts (optional): What else blocks and head are made of, as the dense twin does.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Raises:
        ValueError: If the rows are not of one length, or a number is out of range.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import AdaptViG
        >>> blocks = ((1, 1), (1, 1), (1, 1), (1, 1))
        >>> model = AdaptViG((8, 16, 24, 32), blocks, num_classes=10).eval()
        >>> images = torch.rand(2, 3, 128, 96)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> _, maps = model.forward_intermediates(images)
        >>> [tuple(x.shape) for x in maps]
        [(2, 8, 32, 24), (2, 16, 16, 12), (2, 24, 8, 6), (2, 32, 4, 3)]
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[Sequence[int]] = ((3, 3), (3, 3), (9, 3), (3, 3)),
        steps: Sequence[int] = (8, 4, 2, 1),
        embed_channels: int = 768,
        act: str = "gelu",
        num_classes: int = 1000,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        in_channels: int = 3,
        image_size: int | Sequence[int] = 224,
        distilled: bool = True,
        layer_scale: float = 1e-5,
        mixer: Mixer | None = None,
        **parts: Any,
    ) -> None:
        last = len(channels) - 1

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            options = (width, True, layer_scale, rate)
            if stage == last:
                attention = RelativeAttention(width, width, norm="batch", act=act)
                return _AttentionMixer(width, CompleteGraph(), attention, *options)
            conv = GatedMRConv(width, width, norm="batch", act=act)
            return _GatedMixer(width, AxialGraph("powers", step), conv, *options)

        super().__init__(
            channels,
            blocks,
            steps,
            embed_channels,
            act,
            num_classes,
            drop_path,
            dropout,
            in_channels,
            image_size,
            distilled,
            layer_scale,
            own if mixer is None else mixer,
            **parts,
        )

    @property
    def published(self) -> KeyRules:
        r"""How published checkpoints map onto the model."""
        return axial_rules(self.blocks)


class AdaptViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`adaptvig_s`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import AdaptViG_S_Weights
        >>> weights = AdaptViG_S_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {}}, 8685785)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "AdaptViG_S_model_best.pth", None, 'none published',
        num_params=8_685_785, paper=PAPER, licence='Apache-2.0', gmacs=None,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def adaptvig_s(
    *, weights: AdaptViG_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> AdaptViG:
    r"""AdaptViG-S of the `"AdaptViG: Adaptive Vision GNN with Exponential Decay Gating"
    <https://arxiv.org/abs/2511.09942>`_ paper, 8.686 M parameters.

    Args:
        weights (AdaptViG_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`AdaptViG`.

    Example:
        >>> from pyg_vision.nn import adaptvig_s
        >>> model = adaptvig_s(num_classes=10)
        >>> model.channels, model.blocks
        ((32, 64, 128, 256), ((3, 3), (3, 3), (9, 3), (3, 3)))
    """
    options = SIZES["adaptvig_s"] | kwargs
    return build(AdaptViG, AdaptViG_S_Weights.verify(weights), progress, options)


class AdaptViG_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`adaptvig_m`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import AdaptViG_M_Weights
        >>> weights = AdaptViG_M_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {'acc@1': 82.6}}, 18062812)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "AdaptViG_M_model_best.pth", 82.6, 'the abstract of the paper',
        num_params=18_062_812, paper=PAPER, licence='Apache-2.0', gmacs=None,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def adaptvig_m(
    *, weights: AdaptViG_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> AdaptViG:
    r"""AdaptViG-M of the `"AdaptViG: Adaptive Vision GNN with Exponential Decay Gating"
    <https://arxiv.org/abs/2511.09942>`_ paper, 18.063 M parameters.

    Args:
        weights (AdaptViG_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`AdaptViG`.

    Example:
        >>> from pyg_vision.nn import adaptvig_m
        >>> model = adaptvig_m(num_classes=10)
        >>> model.channels, model.blocks
        ((48, 96, 192, 320), ((4, 4), (4, 4), (12, 4), (4, 4)))
    """
    options = SIZES["adaptvig_m"] | kwargs
    return build(AdaptViG, AdaptViG_M_Weights.verify(weights), progress, options)


class AdaptViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`adaptvig_b`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import AdaptViG_B_Weights
        >>> weights = AdaptViG_B_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {}}, 26987231)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "AdaptViG_B_model_best.pth", None, 'none published',
        num_params=26_987_231, paper=PAPER, licence='Apache-2.0', gmacs=None,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def adaptvig_b(
    *, weights: AdaptViG_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> AdaptViG:
    r"""AdaptViG-B of the `"AdaptViG: Adaptive Vision GNN with Exponential Decay Gating"
    <https://arxiv.org/abs/2511.09942>`_ paper, 26.987 M parameters.

    Args:
        weights (AdaptViG_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`AdaptViG`.

    Example:
        >>> from pyg_vision.nn import adaptvig_b
        >>> model = adaptvig_b(num_classes=10)
        >>> model.channels, model.blocks
        ((48, 96, 192, 384), ((5, 5), (5, 5), (15, 5), (5, 5)))
    """
    options = SIZES["adaptvig_b"] | kwargs
    return build(AdaptViG, AdaptViG_B_Weights.verify(weights), progress, options)


register_axial("AdaptViG")
