r"""MobileViG: local blocks, and a graph of rows and columns in the last stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.nn import Module

from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.graph.axial_graph import AxialGraph
from pyg_vision.nn.models._axial_names import mobile_rules
from pyg_vision.nn.models._axial_vision_gnn import AxialVisionGNN, Mixer
from pyg_vision.nn.models._axial_weights import register_axial, released
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.weights import WeightsEnum
from pyg_vision.weights.key_rules import KeyRules

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "mobilevig_ti": {
        "channels": (42, 84, 168, 256),
        "blocks": ((2, 0), (2, 0), (6, 0), (0, 2)),
        "embed_channels": 512,
    },
    "mobilevig_s": {
        "channels": (42, 84, 176, 256),
        "blocks": ((3, 0), (3, 0), (9, 0), (0, 3)),
        "embed_channels": 512,
    },
    "mobilevig_m": {
        "channels": (42, 84, 224, 400),
        "blocks": ((3, 0), (3, 0), (9, 0), (0, 3)),
        "embed_channels": 768,
    },
    "mobilevig_b": {
        "channels": (42, 84, 240, 464),
        "blocks": ((5, 0), (5, 0), (15, 0), (0, 5)),
        "embed_channels": 768,
    },
}
REPOSITORY = "SLDGroup/MobileViG"
PAPER = "https://arxiv.org/abs/2307.00395"


class MobileViG(AxialVisionGNN):
    r"""MobileViG from the `"MobileViG: Graph-Based Sparse Attention for Mobile Vision
    Applications" <https://arxiv.org/abs/2307.00395>`_ paper.

    Inverted residuals in the first stages and sparse vision graph attention in the last, a
    max-relative convolution over the patches at every second row and column, see
    :class:`AxialGraph`. Differences are those of a patch to its neighbours, :math:`\mathbf{x}_i -
    \mathbf{x}_j`.

    The defaults are those of :func:`mobilevig_ti`. The same state dict loads into
    :class:`DenseMobileViG`, which computes the same as published.

    Args:
        channels (list of int, optional): Size of each node, for each stage; the first is even.
            (default: :obj:`(42, 84, 168, 256)`)
        blocks (list of tuples, optional): The numbers of local and of graph blocks of each stage.
            (default: :obj:`((2, 0), (2, 0), (6, 0), (0, 2))`)
        steps (list of int, optional): The step of the graph of each stage, 0 for one without graph
            blocks. (default: :obj:`(0, 0, 0, 2)`)
        embed_channels (int, optional): Channels of the head. (default: :obj:`512`)
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
        >>> from pyg_vision.nn import MobileViG
        >>> blocks = ((1, 0), (1, 0), (1, 0), (0, 1))
        >>> model = MobileViG((8, 16, 24, 32), blocks, num_classes=10).eval()
        >>> images = torch.rand(2, 3, 128, 96)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> _, maps = model.forward_intermediates(images)
        >>> [tuple(x.shape) for x in maps]
        [(2, 8, 32, 24), (2, 16, 16, 12), (2, 24, 8, 6), (2, 32, 4, 3)]
    """

    _scales_ffn = False

    def __init__(
        self,
        channels: Sequence[int] = (42, 84, 168, 256),
        blocks: Sequence[Sequence[int]] = ((2, 0), (2, 0), (6, 0), (0, 2)),
        steps: Sequence[int] = (0, 0, 0, 2),
        embed_channels: int = 512,
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
            conv = MRConv(width, 2 * width, norm="batch", act=act, reverse=True)
            return GraphMixer(width, AxialGraph("svga", step), conv, 2 * width, drop_path=rate)

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
        return mobile_rules(self.blocks)


class MobileViG_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevig_ti`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViG_Ti_Weights
        >>> list(MobileViG_Ti_Weights)
        []
    """


@register_model()
def mobilevig_ti(
    *, weights: MobileViG_Ti_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViG:
    r"""MobileViG-Ti of the `"MobileViG: Graph-Based Sparse Attention for Mobile Vision
    Applications" <https://arxiv.org/abs/2307.00395>`_ paper, 5.271 M parameters.

    Args:
        weights (MobileViG_Ti_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViG`.

    Example:
        >>> from pyg_vision.nn import mobilevig_ti
        >>> model = mobilevig_ti(num_classes=10)
        >>> model.channels, model.blocks
        ((42, 84, 168, 256), ((2, 0), (2, 0), (6, 0), (0, 2)))
    """
    options = SIZES["mobilevig_ti"] | kwargs
    return build(MobileViG, MobileViG_Ti_Weights.verify(weights), progress, options)


class MobileViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevig_s`, trained on ImageNet-1K by the authors of the paper.

    Example:
        >>> from pyg_vision.nn import MobileViG_S_Weights
        >>> weights = MobileViG_S_Weights.DEFAULT
        >>> weights.meta["metrics"], weights.meta["num_params"]
        ({'ImageNet-1K': {'acc@1': 78.2}}, 7276538)
    """

    IMAGENET1K_V1 = released(
        REPOSITORY, "MobileViG_S_78_2.pth.tar", 78.2, 'the name of the released file',
        num_params=7_276_538, paper=PAPER, licence='Apache-2.0', gmacs=1.0,
    )  # fmt: skip
    DEFAULT = IMAGENET1K_V1


@register_model()
def mobilevig_s(
    *, weights: MobileViG_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViG:
    r"""MobileViG-S of the `"MobileViG: Graph-Based Sparse Attention for Mobile Vision
    Applications" <https://arxiv.org/abs/2307.00395>`_ paper, 7.277 M parameters.

    Args:
        weights (MobileViG_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViG`.

    Example:
        >>> from pyg_vision.nn import mobilevig_s
        >>> model = mobilevig_s(num_classes=10)
        >>> model.channels, model.blocks
        ((42, 84, 176, 256), ((3, 0), (3, 0), (9, 0), (0, 3)))
    """
    options = SIZES["mobilevig_s"] | kwargs
    return build(MobileViG, MobileViG_S_Weights.verify(weights), progress, options)


class MobileViG_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevig_m`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViG_M_Weights
        >>> list(MobileViG_M_Weights)
        []
    """


@register_model()
def mobilevig_m(
    *, weights: MobileViG_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViG:
    r"""MobileViG-M of the `"MobileViG: Graph-Based Sparse Attention for Mobile Vision
    Applications" <https://arxiv.org/abs/2307.00395>`_ paper, 14.076 M parameters.

    Args:
        weights (MobileViG_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViG`.

    Example:
        >>> from pyg_vision.nn import mobilevig_m
        >>> model = mobilevig_m(num_classes=10)
        >>> model.channels, model.blocks
        ((42, 84, 224, 400), ((3, 0), (3, 0), (9, 0), (0, 3)))
    """
    options = SIZES["mobilevig_m"] | kwargs
    return build(MobileViG, MobileViG_M_Weights.verify(weights), progress, options)


class MobileViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevig_b`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViG_B_Weights
        >>> list(MobileViG_B_Weights)
        []
    """


@register_model()
def mobilevig_b(
    *, weights: MobileViG_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViG:
    r"""MobileViG-B of the `"MobileViG: Graph-Based Sparse Attention for Mobile Vision
    Applications" <https://arxiv.org/abs/2307.00395>`_ paper, 26.869 M parameters.

    Args:
        weights (MobileViG_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViG`.

    Example:
        >>> from pyg_vision.nn import mobilevig_b
        >>> model = mobilevig_b(num_classes=10)
        >>> model.channels, model.blocks
        ((42, 84, 240, 464), ((5, 0), (5, 0), (15, 0), (0, 5)))
    """
    options = SIZES["mobilevig_b"] | kwargs
    return build(MobileViG, MobileViG_B_Weights.verify(weights), progress, options)


register_axial("MobileViG")
