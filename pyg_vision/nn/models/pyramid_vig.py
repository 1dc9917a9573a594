r"""Pyramid Vision GNN."""

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
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.graph.dilated_knn_graph import Reach, fit_reach
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.layers.drop_path import drop_path_rates
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.models._knn_vision_gnn import KNNVisionGNN
from pyg_vision.nn.models._pyramid import STEM_STRIDE, patches_of, stage_grids, stage_maps
from pyg_vision.nn.models._vig_describe import describe_pyramid
from pyg_vision.nn.models._vig_names import pyramid_rules
from pyg_vision.nn.models._vig_plan import pyramid_reaches
from pyg_vision.nn.models._vig_weights import reevaluated, released
from pyg_vision.nn.models._vision_block import KNNVisionBlock, VisionBlock
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.typing import Backend, Grid, PositionBias
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "pvig_ti": {"channels": (48, 96, 240, 384), "depths": (2, 2, 6, 2)},
    "pvig_s": {"channels": (80, 160, 400, 640), "depths": (2, 2, 6, 2)},
    "pvig_m": {"channels": (96, 192, 384, 768), "depths": (2, 2, 16, 2)},
    "pvig_b": {"channels": (128, 256, 512, 1024), "depths": (2, 2, 18, 2)},
}


class PyramidViG(KNNVisionGNN):
    r"""The pyramid Vision GNN from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{FFN}(\textrm{Grapher}(\mathbf{X}^{(\ell)})), \qquad
        \mathcal{N}(i) = \textrm{every } d\textrm{-th of the } k \cdot d \textrm{ smallest }
        {\Big\| \frac{\mathbf{x}_i}{\| \mathbf{x}_i \|} - \frac{\mathbf{y}_j}{\| \mathbf{y}_j \|}
        \Big\|}^2_2 + b_{ij}

    Patches of :math:`4 \times 4` pixels are the nodes of the first stage, and each later stage has
    a quarter of the nodes before it. Neighbours are taken from means :math:`\mathbf{y}` over
    :math:`r \times r` patches, and a frozen bias :math:`b`, see
    :class:`~pyg_vision.nn.RelativePosition`, prefers those that are near. The mean over the nodes
    of the last stage is classified.

    What the published code does beyond the paper is done here, too: the bias is resampled along
    flattened axes (:obj:`relative_pos="grid"` takes true positions instead), the dilation rises by
    one every four blocks counted over all stages, up to :math:`\lfloor 49 / k \rfloor`, and
    features are pooled after the first linear map of a block. An image that is too small for
    :math:`k \cdot d` sources gets fewer neighbours, which the published code does not compute.

    The defaults are those of PyramidViG-Ti, see :func:`pvig_ti`, :func:`pvig_s`, :func:`pvig_m`
    and :func:`pvig_b`. The same state dict loads into :class:`DensePyramidViG`, which computes the
    same as published.

    Args:
        channels (tuple, optional): Size of a node in each stage.
            (default: :obj:`(48, 96, 240, 384)`)
        depths (tuple, optional): The number of blocks of each stage.
            (default: :obj:`(2, 2, 6, 2)`)
        reduce_ratios (tuple, optional): The side of the squares of patches that neighbours are
            means of, in each stage. (default: :obj:`(4, 2, 1, 1)`)
        k (int, optional): Neighbours in each block. (default: :obj:`9`)
        conv (str, optional): :obj:`"mr"`, :obj:`"edge"`, :obj:`"sage"` or :obj:`"gin"`.
            (default: :obj:`"mr"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        norm (str, optional): The norm of the graph convolutions, :obj:`"batch"` or
            :obj:`"instance"`. (default: :obj:`"batch"`)
        num_classes (int, optional): The number of classes, :obj:`0` for none, which makes the
            head the identity. (default: :obj:`1000`)
        use_dilation (bool, optional): Whether the dilation rises by one every four blocks.
            (default: :obj:`True`)
        stochastic (bool, optional): Stochastic dilation in training. (default: :obj:`False`)
        epsilon (float, optional): Its probability. (default: :obj:`0.2`)
        drop_path (float, optional): Stochastic depth of the last block. (default: :obj:`0.0`)
        dropout (float, optional): Dropout in the head. (default: :obj:`0.0`)
        in_channels (int, optional): Channels of an image. (default: :obj:`3`)
        image_size (int or tuple, optional): Height and width for which position embedding and bias
            are made; other sizes resample them. (default: :obj:`224`)
        knn_backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)
        bias (bool, optional): Whether the graph convolutions have a bias. (default: :obj:`True`)
        relative_pos (str, optional): The bias of distances, :obj:`"published"`, :obj:`"grid"` or
            :obj:`None` for none. (default: :obj:`"published"`)
        stem (Callable, optional): Makes patch embeddings, called as :class:`Stem`.
            (default: :class:`Stem`)
        grapher (Callable, optional): Makes the first half of a block, called as :class:`Grapher`.
            (default: :class:`Grapher`)
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
        >>> from pyg_vision.nn import PyramidViG
        >>> model = PyramidViG((16, 32), (1, 1), (4, 2), num_classes=10, image_size=64).eval()
        >>> images = torch.rand(2, 3, 64, 64)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> _, maps = model.forward_intermediates(images)
        >>> [tuple(x.shape) for x in maps]
        [(2, 16, 16, 16), (2, 32, 8, 8)]
    """

    _block = KNNVisionBlock

    def __init__(
        self,
        channels: Sequence[int] = (48, 96, 240, 384),
        depths: Sequence[int] = (2, 2, 6, 2),
        reduce_ratios: Sequence[int] = (4, 2, 1, 1),
        k: int = 9,
        conv: str = "mr",
        act: str = "gelu",
        norm: str | None = "batch",
        num_classes: int = 1000,
        use_dilation: bool = True,
        stochastic: bool = False,
        epsilon: float = 0.2,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        in_channels: int = 3,
        image_size: int | Sequence[int] = 224,
        knn_backend: Backend = "auto",
        bias: bool = True,
        relative_pos: PositionBias | None = "published",
        stem: Callable[[int, int, int, str], Module] = Stem,
        grapher: Callable[..., Module] = Grapher,
        ffn: Callable[..., Module] = FFN,
        linear: Callable[[int, int], Module] = GroupedLinear,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__(in_channels, num_classes, act, dropout, linear, norm_layer)
        self.channels = check_ints("channels", channels)
        self.depths = check_ints("depths", depths)
        self.reduce_ratios = check_ints("reduce_ratios", reduce_ratios)
        if not len(self.channels) == len(self.depths) == len(self.reduce_ratios):
            raise ValueError(
                f"'channels', 'depths' and 'reduce_ratios' must be of one length, one of each for "
                f"a stage (got {len(self.channels)}, {len(self.depths)} and "
                f"{len(self.reduce_ratios)})"
            )
        self.num_features = self.channels[-1]
        self.image_size = as_size("image_size", image_size)
        self.reaches = pyramid_reaches(sum(self.depths), check_int("k", k), use_dilation)
        check_rate("drop_path", drop_path)

        self.stem = stem(in_channels, self.channels[0], STEM_STRIDE, act)
        height, width = patches_of(*self.image_size)
        grids = stage_grids(height, width, len(self.channels))
        self.pos_embed = Parameter(torch.zeros(1, self.channels[0], height, width))
        rows = iter(
            zip(
                self._fit(height, width),
                drop_path_rates(drop_path, sum(self.depths)),
                strict=True,
            )
        )
        self.stages = ModuleList()
        settings = zip(self.channels, self.depths, self.reduce_ratios, strict=True)
        for i, (width_of, depth, ratio) in enumerate(settings):
            stage = ModuleDict()
            if i > 0:
                before = self.channels[i - 1]
                stage["downsample"] = Sequential(
                    Conv2d(before, width_of, 3, stride=2, padding=1), BatchNorm2d(width_of)
                )
            blocks = ModuleList()
            for _ in range(depth):
                reach, rate = next(rows)
                position = None
                if relative_pos is not None:
                    position = RelativePosition(width_of, grids[i], ratio, relative_pos)
                first = grapher(
                    width_of,
                    *reach,
                    conv=conv,
                    act=act,
                    norm=norm,
                    bias=bias,
                    stochastic=stochastic,
                    epsilon=epsilon,
                    drop_path=rate,
                    knn_backend=knn_backend,
                    reduce_ratio=ratio,
                    relative_pos=position,
                )
                second = ffn(width_of, act=act, drop_path=rate)
                blocks.append(self._block(first, second))
            stage["blocks"] = blocks
            self.stages.append(stage)
        self.head = self._make_head()
        self.reset_parameters()

    @property
    def published(self) -> KeyRules:
        r"""How published checkpoints map onto the model."""
        return pyramid_rules(self.depths)

    def block_grids(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        r"""Returns the rows and columns of the patches of each block, and of those that their
        neighbours are chosen from, which are means over squares of them.

        Args:
            height (int): The height of the image in pixels.
            width (int): Its width.
        """
        return self._grids_of(*patches_of(height, width))

    def _grids_of(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        found: list[tuple[Grid, Grid]] = []
        grids = stage_grids(height, width, len(self.depths))
        rows = zip(grids, self.depths, self.reduce_ratios, strict=True)
        for i, ((height, width), depth, ratio) in enumerate(rows):
            if min(height, width) < ratio:
                raise ValueError(
                    f"the image is too small: stage {i} has {height} x {width} patches, of which "
                    f"reduce_ratio={ratio} makes no source"
                )
            found += [((height, width), (height // ratio, width // ratio))] * depth
        return found

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[VisionBlock]]]:
        for stage in self.stages:
            parts = dict(stage.named_children())
            yield parts.get("downsample"), parts["blocks"]  # type: ignore[misc]

    def _map_info(self) -> list[tuple[int, int]]:
        return stage_maps(self.channels)

    def _reaches_of(self, height: int, width: int) -> list[Reach]:
        grids = self._grids_of(height, width)
        return [
            fit_reach(reach, rows * columns)
            for reach, (_, (rows, columns)) in zip(self.reaches, grids, strict=True)
        ]

    def _recorded_options(self) -> Sequence[tuple[int, ...]]:
        ratios = [
            ratio
            for depth, ratio in zip(self.depths, self.reduce_ratios, strict=True)
            for _ in range(depth)
        ]
        return [(*reach, reach.k, ratio) for reach, ratio in zip(self.reaches, ratios, strict=True)]


class PViG_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`pvig_ti`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import PViG_Ti_Weights
        >>> weights = PViG_Ti_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 78.5}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "pyramid-vig/pvig_ti_78.5.pth.tar", 78.5, readme=78.5, num_params=10_714_376, gmacs=1.7
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "pvig-tiny", "eb77347d", 78.44, readme=78.38, num_params=10_714_376, gmacs=1.7
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def pvig_ti(
    *, weights: PViG_Ti_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> PyramidViG:
    r"""PyramidViG-Ti of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 48, 96, 240, 384 channels, 2, 2, 6, 2 blocks,
    10.714 M parameters without the frozen bias.

    Args:
        weights (PViG_Ti_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`PyramidViG`.

    Example:
        >>> from pyg_vision.nn import pvig_ti
        >>> model = pvig_ti(num_classes=10)
        >>> model.channels, model.depths
        ((48, 96, 240, 384), (2, 2, 6, 2))
    """
    options = SIZES["pvig_ti"] | kwargs
    return build(PyramidViG, PViG_Ti_Weights.verify(weights), progress, options)


class PViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`pvig_s`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import PViG_S_Weights
        >>> weights = PViG_S_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 82.1}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "pyramid-vig/pvig_s_82.1.pth.tar", 82.1, readme=82.1, num_params=27_251_912, gmacs=4.6
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "pvig-small", "9433dc96", 81.94, readme=82.0, num_params=27_251_912, gmacs=4.6
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def pvig_s(
    *, weights: PViG_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> PyramidViG:
    r"""PyramidViG-S of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 80, 160, 400, 640 channels, 2, 2, 6, 2 blocks,
    27.252 M parameters without the frozen bias.

    Args:
        weights (PViG_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`PyramidViG`.

    Example:
        >>> from pyg_vision.nn import pvig_s
        >>> model = pvig_s(num_classes=10)
        >>> model.channels, model.depths
        ((80, 160, 400, 640), (2, 2, 6, 2))
    """
    options = SIZES["pvig_s"] | kwargs
    return build(PyramidViG, PViG_S_Weights.verify(weights), progress, options)


class PViG_M_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`pvig_m`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import PViG_M_Weights
        >>> weights = PViG_M_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 83.1}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "pyramid-vig/pvig_m_83.1.pth.tar", 83.1, readme=83.1, num_params=49_525_832, gmacs=8.9
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "pvig-medium", "21057a6d", 82.96, readme=83.12, num_params=49_525_832, gmacs=8.9
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def pvig_m(
    *, weights: PViG_M_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> PyramidViG:
    r"""PyramidViG-M of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 96, 192, 384, 768 channels, 2, 2, 16, 2 blocks,
    49.526 M parameters without the frozen bias.

    Args:
        weights (PViG_M_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`PyramidViG`.

    Example:
        >>> from pyg_vision.nn import pvig_m
        >>> model = pvig_m(num_classes=10)
        >>> model.channels, model.depths
        ((96, 192, 384, 768), (2, 2, 16, 2))
    """
    options = SIZES["pvig_m"] | kwargs
    return build(PyramidViG, PViG_M_Weights.verify(weights), progress, options)


class PViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`pvig_b`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import PViG_B_Weights
        >>> weights = PViG_B_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 83.66}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "pyramid-vig/pvig_b_83.66.pth.tar",
        83.66,
        readme=83.7,
        num_params=92_980_328,
        gmacs=16.8,
        crop=0.95,
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "pvig-base", "dbab3c85", 83.49, readme=83.59, num_params=92_980_328, gmacs=16.8, crop=0.95
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def pvig_b(
    *, weights: PViG_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> PyramidViG:
    r"""PyramidViG-B of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 128, 256, 512, 1024 channels, 2, 2, 18, 2 blocks,
    92.980 M parameters without the frozen bias.

    Args:
        weights (PViG_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`PyramidViG`.

    Example:
        >>> from pyg_vision.nn import pvig_b
        >>> model = pvig_b(num_classes=10)
        >>> model.channels, model.depths
        ((128, 256, 512, 1024), (2, 2, 18, 2))
    """
    options = SIZES["pvig_b"] | kwargs
    return build(PyramidViG, PViG_B_Weights.verify(weights), progress, options)


register_family("pyg_vision.nn.PyramidViG", describe_pyramid)
