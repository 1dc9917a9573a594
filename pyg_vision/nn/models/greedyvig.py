r"""GreedyViG: graphs of the patches of a row or column that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.nn import Module

from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.graph.dynamic_axial_graph import DynamicAxialGraph
from pyg_vision.nn.models._axial_names import axial_rules
from pyg_vision.nn.models._axial_vision_gnn import AxialVisionGNN, Mixer
from pyg_vision.nn.models._axial_weights import register_axial, released
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.weights import WeightsEnum
from pyg_vision.weights.key_rules import KeyRules

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "greedyvig_s": {
        "channels": (48, 96, 192, 384),
        "blocks": ((2, 2), (2, 2), (6, 2), (2, 2)),
        "embed_channels": 768,
    },
    "greedyvig_m": {
        "channels": (56, 112, 224, 448),
        "blocks": ((3, 3), (3, 3), (9, 3), (3, 3)),
        "embed_channels": 768,
    },
    "greedyvig_b": {
        "channels": (64, 128, 256, 512),
        "blocks": ((4, 4), (4, 4), (12, 4), (3, 3)),
        "embed_channels": 768,
    },
}
REPOSITORY = "SLDGroup/GreedyViG"
PAPER = "https://arxiv.org/abs/2405.06849"
FILE = "the name of the released file"


class GreedyViG(AxialVisionGNN):
    r"""GreedyViG from the `"GreedyViG: Dynamic Axial Graph Construction for Efficient Vision GNNs"
    <https://arxiv.org/abs/2405.06849>`_ paper.

    Inverted residuals and behind them, in every stage, a :class:`ConditionalPosition` and a
    max-relative convolution over those patches of each row and column that are nearer than a
    threshold of the image, see :class:`DynamicAxialGraph`.

    The defaults are those of :func:`greedyvig_s`. The same state dict loads into
    :class:`DenseGreedyViG`, which computes the same as published.

    Args:
        channels (list of int, optional): Size of each node, for each stage; the first is even.
            (default: :obj:`(48, 96, 192, 384)`)
        blocks (list of tuples, optional): The numbers of local and of graph blocks of each stage.
            (default: :obj:`((2, 2), (2, 2), (6, 2), (2, 2))`)
        steps (list of int, optional): The step of the graph of each stage. (default: :obj:`(8, 4,
            2, 1)`)
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
        >>> from pyg_vision.nn import GreedyViG
        >>> blocks = ((1, 1), (1, 1), (1, 1), (1, 1))
        >>> model = GreedyViG((8, 16, 24, 32), blocks, num_classes=10).eval()
        >>> images = torch.rand(2, 3, 128, 96)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> _, maps = model.forward_intermediates(images)
        >>> [tuple(x.shape) for x in maps]
        [(2, 8, 32, 24), (2, 16, 16, 12), (2, 24, 8, 6), (2, 32, 4, 3)]
    """

    def __init__(
        self,
        channels: Sequence[int] = (48, 96, 192, 384),
        blocks: Sequence[Sequence[int]] = ((2, 2), (2, 2), (6, 2), (2, 2)),
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

        def own(stage: int, width: int, step: int, rate: float) -> Module:
            conv = MRConv(width, width, norm="batch", act=act)
            return GraphMixer(width, DynamicAxialGraph(step), conv, width, True, layer_scale, rate)

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


class GreedyViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`greedyvig_s`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import GreedyViG_S_Weights
        >>> weights = GreedyViG_S_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {'acc@1': 81.1}}, 11983376)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "S_GreedyViG_81_1.pth", 81.1, FILE,
        num_params=11_983_376, paper=PAPER, licence='Apache-2.0', gmacs=1.6,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def greedyvig_s(
    *, weights: GreedyViG_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> GreedyViG:
    r"""GreedyViG-S of the `"GreedyViG: Dynamic Axial Graph Construction for Efficient Vision GNNs"
    <https://arxiv.org/abs/2405.06849>`_ paper, 11.983 M parameters.

    Args:
        weights (GreedyViG_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`GreedyViG`.

    Example:
        >>> from pyg_vision.nn import greedyvig_s
        >>> model = greedyvig_s(num_classes=10)
        >>> model.channels, model.blocks
        ((48, 96, 192, 384), ((2, 2), (2, 2), (6, 2), (2, 2)))
    """
    options = SIZES["greedyvig_s"] | kwargs
    return build(GreedyViG, GreedyViG_S_Weights.verify(weights), progress, options)


class GreedyViG_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`greedyvig_m`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import GreedyViG_M_Weights
        >>> weights = GreedyViG_M_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {'acc@1': 82.9}}, 21928112)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "M_GreedyViG_82_9.pth", 82.9, FILE,
        num_params=21_928_112, paper=PAPER, licence='Apache-2.0', gmacs=3.2,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def greedyvig_m(
    *, weights: GreedyViG_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> GreedyViG:
    r"""GreedyViG-M of the `"GreedyViG: Dynamic Axial Graph Construction for Efficient Vision GNNs"
    <https://arxiv.org/abs/2405.06849>`_ paper, 21.928 M parameters.

    Args:
        weights (GreedyViG_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`GreedyViG`.

    Example:
        >>> from pyg_vision.nn import greedyvig_m
        >>> model = greedyvig_m(num_classes=10)
        >>> model.channels, model.blocks
        ((56, 112, 224, 448), ((3, 3), (3, 3), (9, 3), (3, 3)))
    """
    options = SIZES["greedyvig_m"] | kwargs
    return build(GreedyViG, GreedyViG_M_Weights.verify(weights), progress, options)


class GreedyViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`greedyvig_b`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import GreedyViG_B_Weights
        >>> weights = GreedyViG_B_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {'acc@1': 83.9}}, 30905296)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "B_GreedyViG_83_9.pth", 83.9, FILE,
        num_params=30_905_296, paper=PAPER, licence='Apache-2.0', gmacs=5.2,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def greedyvig_b(
    *, weights: GreedyViG_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> GreedyViG:
    r"""GreedyViG-B of the `"GreedyViG: Dynamic Axial Graph Construction for Efficient Vision GNNs"
    <https://arxiv.org/abs/2405.06849>`_ paper, 30.905 M parameters.

    Args:
        weights (GreedyViG_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`GreedyViG`.

    Example:
        >>> from pyg_vision.nn import greedyvig_b
        >>> model = greedyvig_b(num_classes=10)
        >>> model.channels, model.blocks
        ((64, 128, 256, 512), ((4, 4), (4, 4), (12, 4), (3, 3)))
    """
    options = SIZES["greedyvig_b"] | kwargs
    return build(GreedyViG, GreedyViG_B_Weights.verify(weights), progress, options)


register_axial("GreedyViG")
