r"""Isotropic Vision GNN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.nn import BatchNorm1d, Module, ModuleList, Parameter

from pyg_vision._checks import check_int, check_rate
from pyg_vision.data.size import as_size
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.graph.dilated_knn_graph import Reach
from pyg_vision.nn.layers.drop_path import drop_path_rates
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.models._knn_vision_gnn import KNNVisionGNN
from pyg_vision.nn.models._vig_describe import describe_vig
from pyg_vision.nn.models._vig_names import PUBLISHED
from pyg_vision.nn.models._vig_plan import fit_reaches, vig_reaches
from pyg_vision.nn.models._vig_weights import reevaluated, released
from pyg_vision.nn.models._vision_block import KNNVisionBlock, VisionBlock
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.typing import Backend, Grid
from pyg_vision.weights import WeightsEnum, register_family

HEAD_CHANNELS = 1024

# The published models, by the name of their builder.
SIZES: dict[str, dict[str, Any]] = {
    "vig_ti": {"channels": 192, "depth": 12},
    "vig_s": {"channels": 320, "depth": 16},
    "vig_b": {"channels": 640, "depth": 16},
}


class ViG(KNNVisionGNN):
    r"""The isotropic Vision GNN from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{FFN}(\textrm{Grapher}(\mathbf{X}^{(\ell)})), \qquad
        \mathbf{X}^{(0)} = \textrm{Stem}(\textrm{image}) + \mathbf{E}_{pos}

    An image becomes a grid of patches, the nodes; each block connects every node to its nearest
    neighbours in feature space, convolves over that graph and transforms each node. The mean over
    the nodes is classified. Features stay node-major, :math:`(B, N, C)`, throughout.

    The defaults are those of ViG-Ti, see :func:`vig_ti`, :func:`vig_s` and :func:`vig_b`. The
    same state dict loads into :class:`DenseViG`, which computes the same as published.

    .. note::
        Each block adds to its input, and an untrained model in evaluation mode normalises nothing:
        its logits are of the order of a million, beyond the range of :obj:`float16`. Those of a
        trained model are small.

    Args:
        channels (int, optional): Size of each node. (default: :obj:`192`)
        depth (int, optional): The number of blocks. (default: :obj:`12`)
        k (int, optional): Neighbours in the first block, rising to twice as many in the last.
            (default: :obj:`9`)
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
        image_size (int or tuple, optional): Height and width for which the position embedding
            is made; other sizes resample it. (default: :obj:`224`)
        patch_size (int, optional): Side of a patch, 1, 2, 4, 8 or 16. (default: :obj:`16`)
        knn_backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)
        bias (bool, optional): Whether the graph convolutions have a bias. (default: :obj:`True`)
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

    Example:
        >>> import torch
        >>> from pyg_vision.nn import ViG
        >>> model = ViG(channels=48, depth=2, num_classes=10).eval()
        >>> images = torch.rand(2, 3, 224, 224)
        >>> model(images).shape
        torch.Size([2, 10])
        >>> logits, graphs = model.forward_graphs(images)
        >>> graphs[0].index.shape
        torch.Size([2, 196, 9])
    """

    published = PUBLISHED
    _block = KNNVisionBlock
    _maps = "blocks"

    def __init__(
        self,
        channels: int = 192,
        depth: int = 12,
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
        patch_size: int = 16,
        knn_backend: Backend = "auto",
        bias: bool = True,
        stem: Callable[[int, int, int, str], Module] = Stem,
        grapher: Callable[..., Module] = Grapher,
        ffn: Callable[..., Module] = FFN,
        linear: Callable[[int, int], Module] = GroupedLinear,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__(in_channels, num_classes, act, dropout, linear, norm_layer)
        self.channels = self.num_features = check_int("channels", channels)
        self.depth = check_int("depth", depth)
        self.patch_size = patch_size
        self.image_size = as_size("image_size", image_size)
        self.reaches = vig_reaches(depth, check_int("k", k), use_dilation)

        self.stem = stem(in_channels, channels, patch_size, act)
        grid, _ = self.block_grids(*self.image_size)[0]
        self.pos_embed = Parameter(torch.zeros(1, channels, *grid))
        check_rate("drop_path", drop_path)
        self.blocks = ModuleList()
        reaches = self._fit(*grid)
        for reach, rate in zip(reaches, drop_path_rates(drop_path, depth), strict=True):
            first = grapher(
                channels,
                *reach,
                conv=conv,
                act=act,
                norm=norm,
                bias=bias,
                stochastic=stochastic,
                epsilon=epsilon,
                drop_path=rate,
                knn_backend=knn_backend,
            )
            second = ffn(channels, act=act, drop_path=rate)
            self.blocks.append(self._block(first, second))
        self.head = self._make_head()
        self.reset_parameters()

    def block_grids(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        r"""Returns the rows and columns of the patches of each block, and of those that their
        neighbours are chosen from, which are the same.

        Args:
            height (int): The height of the image in pixels.
            width (int): Its width.
        """
        # Each convolution of stride two rounds up.
        grid = -(-height // self.patch_size), -(-width // self.patch_size)
        return [(grid, grid)] * self.depth

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[VisionBlock]]]:
        for block in self.blocks:
            yield None, (block,)  # type: ignore[misc]

    def _map_info(self) -> list[tuple[int, int]]:
        return [(self.channels, self.patch_size)] * self.depth

    def _reaches_of(self, height: int, width: int) -> list[Reach]:
        return fit_reaches(self.reaches, height * width)

    def _recorded_options(self) -> Sequence[tuple[int, ...]]:
        widest = max(reach.k for reach in self.reaches)
        return [(*reach, widest, 1) for reach in self.reaches]


class ViG_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_ti`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import ViG_Ti_Weights
        >>> weights = ViG_Ti_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 74.5}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "vig/vig_ti_74.5.pth", 74.5, readme=73.9, num_params=7_184_744, gmacs=1.3
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "vig-tiny", "6414c684", 74.31, readme=74.4, num_params=7_184_744, gmacs=1.3
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def vig_ti(
    *, weights: ViG_Ti_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> ViG:
    r"""ViG-Ti of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 192 channels, 12 blocks, 7.185 M parameters.

    Args:
        weights (ViG_Ti_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`ViG`.

    Example:
        >>> from pyg_vision.nn import vig_ti
        >>> model = vig_ti(num_classes=10)
        >>> model.channels, model.depth
        (192, 12)
    """
    return build(ViG, ViG_Ti_Weights.verify(weights), progress, SIZES["vig_ti"] | kwargs)


class ViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_s`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import ViG_S_Weights
        >>> weights = ViG_S_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 80.6}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "vig/vig_s_80.6.pth", 80.6, readme=80.4, num_params=22_747_752, gmacs=4.5
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "vig-small", "5338bf3b", 80.57, readme=80.61, num_params=22_747_752, gmacs=4.5
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def vig_s(
    *, weights: ViG_S_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> ViG:
    r"""ViG-S of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 320 channels, 16 blocks, 22.748 M parameters.

    Args:
        weights (ViG_S_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`ViG`.

    Example:
        >>> from pyg_vision.nn import vig_s
        >>> model = vig_s(num_classes=10)
        >>> model.channels, model.depth
        (320, 16)
    """
    return build(ViG, ViG_S_Weights.verify(weights), progress, SIZES["vig_s"] | kwargs)


class ViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_b`, trained on ImageNet-1K by the authors of the paper: as they
    released them, and as mmpretrain converted and evaluated them. Images are scaled from [0, 1] to
    [-1, 1], which :meth:`transforms` does.

    Example:
        >>> from pyg_vision.nn import ViG_B_Weights
        >>> weights = ViG_B_Weights.DEFAULT
        >>> preprocess = weights.transforms()
        >>> weights.meta["metrics"], weights.meta["categories"][0]
        ({'ImageNet-1K': {'acc@1': 82.6}}, 'tench')
    """

    IMAGENET1K_V1 = released(
        "vig/vig_b_82.6.pth", 82.6, readme=82.3, num_params=86_841_832, gmacs=17.7
    )
    IMAGENET1K_MMPRETRAIN = reevaluated(
        "vig-base", "92f6f12f", 82.51, readme=82.62, num_params=86_841_832, gmacs=17.7
    )
    DEFAULT = IMAGENET1K_V1


@register_model()
def vig_b(
    *, weights: ViG_B_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> ViG:
    r"""ViG-B of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper: 640 channels, 16 blocks, 86.842 M parameters.

    Args:
        weights (ViG_B_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`ViG`.

    Example:
        >>> from pyg_vision.nn import vig_b
        >>> model = vig_b(num_classes=10)
        >>> model.channels, model.depth
        (640, 16)
    """
    return build(ViG, ViG_B_Weights.verify(weights), progress, SIZES["vig_b"] | kwargs)


register_family("pyg_vision.nn.ViG", describe_vig)
