r"""Isotropic Vision GNN."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, ModuleDict, ModuleList, Parameter, Sequential
from torch_geometric.data import Data

from pyg_vision._checks import check_int, check_rate
from pyg_vision._validation import is_mapped
from pyg_vision._warn import warn
from pyg_vision.data import fold_batch
from pyg_vision.data.size import as_size
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.drop_path import drop_path_rates
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.models._fusable_model import FusableModel
from pyg_vision.nn.models._vig_names import PUBLISHED, resample_pos_embed
from pyg_vision.nn.models._vig_plan import Reach, fit_reaches, vig_reaches
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Backend
from pyg_vision.weights import WeightsEnum

HEAD_CHANNELS = 1024


class ViG(FusableModel):
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
    _memory_format = torch.channels_last

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
        super().__init__()
        self.channels = check_int("channels", channels)
        self.depth = check_int("depth", depth)
        self.in_channels = in_channels
        self.num_classes = check_int("num_classes", num_classes, 0)
        self.patch_size = patch_size
        self.act = act
        self.dropout = dropout
        self.image_size = as_size("image_size", image_size)
        self.reaches = vig_reaches(depth, check_int("k", k), use_dilation)
        self._warned = False
        self._linear = linear
        self._norm_layer = norm_layer

        self.stem = stem(in_channels, channels, patch_size, act)
        grid = self._grid_of(*self.image_size)
        self.pos_embed = Parameter(torch.zeros(1, channels, *grid))
        check_rate("drop_path", drop_path)
        self.blocks = ModuleList()
        reaches = self._fit(grid[0] * grid[1])
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
            self.blocks.append(ModuleDict({"grapher": first, "ffn": second}))
        self.head = self._make_head()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters as published: Kaiming normal, zero biases."""
        self.apply(_reset)
        torch.nn.init.zeros_(self.pos_embed)

    def reset_classifier(self, num_classes: int, dropout: float | None = None) -> None:
        r"""Replaces the head by a new one.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.
            dropout (float, optional): Its dropout, if it changes. (default: :obj:`None`)
        """
        self.num_classes = check_int("num_classes", num_classes, 0)
        self.dropout = self.dropout if dropout is None else dropout
        self.head = self._make_head().to(self.pos_embed.device, self.pos_embed.dtype)
        self.head.train(self.training)
        self.head.apply(_reset)

    def forward(self, x: Tensor | Data, neighbors: Sequence[NeighborTable] | None = None) -> Tensor:
        r"""Runs the model.

        Args:
            x (torch.Tensor or Batch): Images :math:`(B, C_{in}, H, W)`, or a PyG batch of
                their patch graphs, whatever the size of its patches.
            neighbors (list, optional): A graph for each block, used instead of new ones, such as
                :meth:`forward_graphs` returned. (default: :obj:`None`)
        """
        return self.forward_head(self.forward_features(x, neighbors))

    def forward_graphs(
        self, x: Tensor | Data, neighbors: Sequence[NeighborTable] | None = None
    ) -> tuple[Tensor, list[NeighborTable]]:
        r"""Returns the logits, and the graph that each block used.

        Args:
            x (torch.Tensor or Batch): The images.
            neighbors (list, optional): A graph for each block, used instead of new ones.
                (default: :obj:`None`)
        """
        features, graphs, _ = self._run_blocks(x, neighbors)
        return self.forward_head(features), graphs

    def forward_features(
        self, x: Tensor | Data, neighbors: Sequence[NeighborTable] | None = None
    ) -> Tensor:
        r"""Returns the features of the nodes after the last block, :math:`(B, N, C)`.

        Args:
            x (torch.Tensor or Batch): The images.
            neighbors (list, optional): A graph for each block, used instead of new ones.
                (default: :obj:`None`)
        """
        return self._run_blocks(x, neighbors)[0]

    def forward_intermediates(
        self,
        x: Tensor | Data,
        indices: int | Sequence[int] | None = None,
        neighbors: Sequence[NeighborTable] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        r"""Returns the features after the last block, as :meth:`forward_features`, and the maps
        :math:`(B, C, H, W)` after some blocks.

        Args:
            x (torch.Tensor or Batch): The images.
            indices (int or list, optional): After which blocks; negative ones count from the end,
                a number means so many of the last. (default: after all)
            neighbors (list, optional): A graph for each block, used instead of new ones.
                (default: :obj:`None`)
        """
        depth = len(self.blocks)
        wanted = depth if indices is None else indices
        if isinstance(wanted, int):
            wanted = range(-wanted, 0)
        if not wanted or any(type(i) is not int or not -depth <= i < depth for i in wanted):
            raise ValueError(
                f"'indices' must be one or more of {depth} blocks, or how many of the last (got "
                f"{indices!r})"
            )
        features, _, found = self._run_blocks(x, neighbors, {i % depth for i in wanted})
        return features, [found[i % depth] for i in wanted]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        r"""Pools and classifies the features of :meth:`forward_features`.

        Args:
            x (torch.Tensor): The features of the nodes.
            pre_logits (bool, optional): If :obj:`True`, only pools. (default: :obj:`False`)
        """
        pooled = x.mean(dim=1)
        return pooled if pre_logits else self.head(pooled)

    def _run_blocks(
        self,
        x: Tensor | Data,
        neighbors: Sequence[NeighborTable] | None = None,
        wanted: Container[int] = (),
    ) -> tuple[Tensor, list[NeighborTable], dict[int, Tensor]]:
        r"""Returns the features after the last block, the graph of each block, and the maps after
        those that are wanted.
        """
        if neighbors is not None and len(neighbors) != len(self.blocks):
            raise ValueError(
                f"'neighbors' must hold a graph for each of {len(self.blocks)} blocks "
                f"(got {len(neighbors)})"
            )
        x = self._embed(self._read(x))
        height, width = x.shape[-2:]
        x = self._to_nodes(x)
        graphs: list[NeighborTable] = []
        found: dict[int, Tensor] = {}
        reaches = self._fit(height * width)
        for i, (block, reach) in enumerate(zip(self.blocks, reaches, strict=True)):
            given = None if neighbors is None else neighbors[i]
            x, graph = block["grapher"](  # type: ignore[index]
                x, given, k=reach.k, dilation=reach.dilation, return_graph=True
            )
            x = block["ffn"](x)  # type: ignore[index]
            graphs.append(graph)
            if i in wanted:
                found[i] = self._to_map(x, height, width)
        return x, graphs, found

    def _read(self, x: Tensor | Data) -> Tensor:
        r"""Returns images :math:`(B, C_{in}, H, W)`."""
        if isinstance(x, Data):
            x = fold_batch(x)
        if not isinstance(x, Tensor):
            raise TypeError(f"the input must be a tensor or a Batch (got '{type(x).__name__}')")
        if x.dim() != 4 or x.size(1) != self.in_channels or x.numel() == 0:
            raise ValueError(
                f"the input must be images [B, {self.in_channels}, H, W], at least one "
                f"(got shape {list(x.shape)})"
            )
        if not x.is_floating_point():
            raise TypeError(f"images must be floating-point, e.g. in [0, 1] (got {x.dtype})")
        return x

    def _embed(self, x: Tensor) -> Tensor:
        r"""Returns patch embeddings with their positions, :math:`(B, C, H', W')`."""
        if not is_mapped(x):  # torch.vmap knows no memory formats
            x = x.contiguous(memory_format=self._memory_format)
        x = self.stem(x)
        pos: Tensor = self.pos_embed
        if x.shape[-2:] != pos.shape[-2:]:
            pos = resample_pos_embed(pos, (x.size(-2), x.size(-1)))
        if not is_mapped(x):
            pos = pos.contiguous(memory_format=self._memory_format)
        return x + pos

    def _to_nodes(self, x: Tensor) -> Tensor:
        # A view where the stem ran on channels-last maps, as it does by default.
        return x.permute(0, 2, 3, 1).flatten(1, 2)

    def _to_map(self, x: Tensor, height: int, width: int) -> Tensor:
        return x.view(x.size(0), height, width, -1).permute(0, 3, 1, 2)

    def _fit(self, num_nodes: int) -> list[Reach]:
        r"""Returns the neighbourhoods for an image of that many patches; warns once if fewer."""
        fitted = fit_reaches(self.reaches, num_nodes)
        if fitted != self.reaches and not self._warned and not torch.compiler.is_compiling():
            self._warned = True
            worst = next(i for i, reach in enumerate(fitted) if reach != self.reaches[i])
            warn(
                f"an image of {num_nodes} patches is too small for k={self.reaches[worst].k} and "
                f"dilation={self.reaches[worst].dilation} (block {worst}); it uses "
                f"k={fitted[worst].k} and dilation={fitted[worst].dilation}, and later blocks "
                f"likewise"
            )
        return fitted

    def _grid_of(self, height: int, width: int) -> tuple[int, int]:
        # Each convolution of stride two rounds up.
        return -(-height // self.patch_size), -(-width // self.patch_size)

    def _make_head(self) -> Module:
        if self.num_classes == 0:
            return torch.nn.Identity()
        return Sequential(
            self._linear(self.channels, HEAD_CHANNELS),
            self._norm_layer(HEAD_CHANNELS),
            make_act(self.act),
            Dropout(self.dropout),
            self._linear(HEAD_CHANNELS, self.num_classes),
        )


class ViG_Ti_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_ti`; none are published with this package yet.

    Example:
        >>> from pyg_vision.nn import ViG_Ti_Weights
        >>> [weights.name for weights in ViG_Ti_Weights]
        []
    """


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
    options = {"channels": 192, "depth": 12, **kwargs}
    return build(ViG, ViG_Ti_Weights.verify(weights), progress, options)


class ViG_S_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_s`; none are published with this package yet.

    Example:
        >>> from pyg_vision.nn import ViG_S_Weights
        >>> [weights.name for weights in ViG_S_Weights]
        []
    """


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
    options = {"channels": 320, "depth": 16, **kwargs}
    return build(ViG, ViG_S_Weights.verify(weights), progress, options)


class ViG_B_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`vig_b`; none are published with this package yet.

    Example:
        >>> from pyg_vision.nn import ViG_B_Weights
        >>> [weights.name for weights in ViG_B_Weights]
        []
    """


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
    options = {"channels": 640, "depth": 16, **kwargs}
    return build(ViG, ViG_B_Weights.verify(weights), progress, options)


def _reset(module: Module) -> None:
    if isinstance(module, GroupedLinear | torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)
    elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
        module.reset_parameters()
    elif isinstance(module, torch.nn.PReLU):
        torch.nn.init.constant_(module.weight, 0.2)
    elif isinstance(getattr(module, "eps", None), Parameter):  # of graph isomorphism
        torch.nn.init.zeros_(module.eps)  # type: ignore[arg-type]
