r"""MobileViGv2: graphs of four neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.nn import Module

from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.graph.axial_graph import AxialGraph
from pyg_vision.nn.models._axial_names import axial_rules
from pyg_vision.nn.models._axial_vision_gnn import AxialVisionGNN, Mixer
from pyg_vision.nn.models._axial_weights import register_axial
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.weights import WeightsEnum
from pyg_vision.weights.key_rules import KeyRules

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "mobilevigv2_ti": {
        "channels": (32, 64, 128, 256),
        "blocks": ((2, 0), (2, 2), (6, 2), (2, 2)),
        "embed_channels": 512,
    },
    "mobilevigv2_s": {
        "channels": (32, 64, 128, 256),
        "blocks": ((3, 0), (3, 3), (9, 3), (3, 3)),
        "embed_channels": 512,
    },
    "mobilevigv2_m": {
        "channels": (32, 64, 192, 384),
        "blocks": ((3, 0), (3, 3), (9, 3), (3, 3)),
        "embed_channels": 512,
    },
    "mobilevigv2_b": {
        "channels": (64, 128, 256, 512),
        "blocks": ((3, 0), (3, 3), (9, 3), (3, 3)),
        "embed_channels": 768,
    },
}


class MobileViGv2(AxialVisionGNN):
    r"""MobileViGv2 from the `"Scaling Graph Convolutions for Mobile Vision"
    <https://arxiv.org/abs/2406.05850>`_ paper.

    Inverted residuals, and behind them in all stages but the first mobile graph convolutions: a
    :class:`ConditionalPosition`, then a max-relative convolution over the patches at :math:`\pm K`
    rows and columns, see :class:`AxialGraph`.

    The defaults are those of :func:`mobilevigv2_ti`. The same state dict loads into
    :class:`DenseMobileViGv2`, which computes the same as published.

    Args:
        channels (list of int, optional): Size of each node, for each stage; the first is even.
            (default: :obj:`(32, 64, 128, 256)`)
        blocks (list of tuples, optional): The numbers of local and of graph blocks of each stage.
            (default: :obj:`((2, 0), (2, 2), (6, 2), (2, 2))`)
        steps (list of int, optional): The step :math:`K` of the graph of each stage, 0 for one
            without graph blocks. (default: :obj:`(0, 8, 4, 2)`)
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
        >>> from pyg_vision.nn import MobileViGv2
        >>> blocks = ((1, 0), (1, 1), (1, 1), (1, 1))
        >>> model = MobileViGv2((8, 16, 24, 32), blocks, num_classes=10).eval()
        >>> images = torch.rand(2, 3, 128, 96)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> _, maps = model.forward_intermediates(images)
        >>> [tuple(x.shape) for x in maps]
        [(2, 8, 32, 24), (2, 16, 16, 12), (2, 24, 8, 6), (2, 32, 4, 3)]
    """

    _counts_local = False

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[Sequence[int]] = ((2, 0), (2, 2), (6, 2), (2, 2)),
        steps: Sequence[int] = (0, 8, 4, 2),
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
            conv = MRConv(width, width, norm="batch", act=act)
            graph = AxialGraph("mgc", step)
            return GraphMixer(width, graph, conv, width, True, layer_scale, rate)

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


class MobileViGv2_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevigv2_ti`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViGv2_Ti_Weights
        >>> list(MobileViGv2_Ti_Weights)
        []
    """


@register_model()
def mobilevigv2_ti(
    *, weights: MobileViGv2_Ti_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViGv2:
    r"""MobileViGv2-Ti of the `"Scaling Graph Convolutions for Mobile Vision"
    <https://arxiv.org/abs/2406.05850>`_ paper, 5.696 M parameters.

    Args:
        weights (MobileViGv2_Ti_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViGv2`.

    Example:
        >>> from pyg_vision.nn import mobilevigv2_ti
        >>> model = mobilevigv2_ti(num_classes=10)
        >>> model.channels, model.blocks
        ((32, 64, 128, 256), ((2, 0), (2, 2), (6, 2), (2, 2)))
    """
    options = SIZES["mobilevigv2_ti"] | kwargs
    return build(MobileViGv2, MobileViGv2_Ti_Weights.verify(weights), progress, options)


class MobileViGv2_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevigv2_s`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViGv2_S_Weights
        >>> list(MobileViGv2_S_Weights)
        []
    """


@register_model()
def mobilevigv2_s(
    *, weights: MobileViGv2_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViGv2:
    r"""MobileViGv2-S of the `"Scaling Graph Convolutions for Mobile Vision"
    <https://arxiv.org/abs/2406.05850>`_ paper, 7.768 M parameters.

    Args:
        weights (MobileViGv2_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViGv2`.

    Example:
        >>> from pyg_vision.nn import mobilevigv2_s
        >>> model = mobilevigv2_s(num_classes=10)
        >>> model.channels, model.blocks
        ((32, 64, 128, 256), ((3, 0), (3, 3), (9, 3), (3, 3)))
    """
    options = SIZES["mobilevigv2_s"] | kwargs
    return build(MobileViGv2, MobileViGv2_S_Weights.verify(weights), progress, options)


class MobileViGv2_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevigv2_m`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViGv2_M_Weights
        >>> list(MobileViGv2_M_Weights)
        []
    """


@register_model()
def mobilevigv2_m(
    *, weights: MobileViGv2_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViGv2:
    r"""MobileViGv2-M of the `"Scaling Graph Convolutions for Mobile Vision"
    <https://arxiv.org/abs/2406.05850>`_ paper, 15.472 M parameters.

    Args:
        weights (MobileViGv2_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViGv2`.

    Example:
        >>> from pyg_vision.nn import mobilevigv2_m
        >>> model = mobilevigv2_m(num_classes=10)
        >>> model.channels, model.blocks
        ((32, 64, 192, 384), ((3, 0), (3, 3), (9, 3), (3, 3)))
    """
    options = SIZES["mobilevigv2_m"] | kwargs
    return build(MobileViGv2, MobileViGv2_M_Weights.verify(weights), progress, options)


class MobileViGv2_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`mobilevigv2_b`: none yet, no address of a file of the authors is known.
    :func:`~pyg_vision.weights.from_published` reads their files.

    Example:
        >>> from pyg_vision.nn import MobileViGv2_B_Weights
        >>> list(MobileViGv2_B_Weights)
        []
    """


@register_model()
def mobilevigv2_b(
    *, weights: MobileViGv2_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MobileViGv2:
    r"""MobileViGv2-B of the `"Scaling Graph Convolutions for Mobile Vision"
    <https://arxiv.org/abs/2406.05850>`_ paper, 27.879 M parameters.

    Args:
        weights (MobileViGv2_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MobileViGv2`.

    Example:
        >>> from pyg_vision.nn import mobilevigv2_b
        >>> model = mobilevigv2_b(num_classes=10)
        >>> model.channels, model.blocks
        ((64, 128, 256, 512), ((3, 0), (3, 3), (9, 3), (3, 3)))
    """
    options = SIZES["mobilevigv2_b"] | kwargs
    return build(MobileViGv2, MobileViGv2_B_Weights.verify(weights), progress, options)


register_axial("MobileViGv2")
