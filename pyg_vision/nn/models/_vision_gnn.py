r"""What isotropic and pyramid Vision GNNs share."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import Dropout, Module, Parameter, Sequential
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision._validation import is_mapped
from pyg_vision._warn import warn
from pyg_vision.data import fold_batch
from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.models._fusable_model import FusableModel
from pyg_vision.nn.models._vig_names import resample_pos_embed
from pyg_vision.nn.models._vig_plan import Reach
from pyg_vision.ops import NeighborTable

HEAD_CHANNELS = 1024


class VisionGNN(FusableModel):
    r"""A model of images whose blocks build their own graphs.

    A subclass makes :obj:`stem`, :obj:`pos_embed`, its blocks and :obj:`head`, and says in
    :meth:`_stages` in which order they run.
    """

    _memory_format = torch.channels_last

    stem: Module
    head: Module
    pos_embed: Parameter

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        act: str,
        dropout: float,
        linear: Callable[[int, int], Module],
        norm_layer: Callable[[int], Module],
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_classes = check_int("num_classes", num_classes, 0)
        self.act = act
        self.dropout = dropout
        self.reaches: list[Reach] = []
        self.num_features = 0  # of a node after the last block
        self.ends: list[int] = []  # the blocks after which a map is an intermediate one
        self._linear = linear
        self._norm_layer = norm_layer
        self._warned = False

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[Module]]]:
        r"""Returns what halves the grid, and the blocks that follow, for each stage."""
        raise NotImplementedError

    def _reaches_of(self, height: int, width: int) -> list[Reach]:
        r"""Returns the neighbourhood of each block for a first grid of that size."""
        raise NotImplementedError

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
        depth = len(self.ends)
        wanted = depth if indices is None else indices
        if isinstance(wanted, int):
            wanted = range(-wanted, 0)
        if not wanted or any(type(i) is not int or not -depth <= i < depth for i in wanted):
            what = "stages" if depth < len(self.reaches) else "blocks"
            raise ValueError(
                f"'indices' must be one or more of {depth} {what}, or how many of the last (got "
                f"{indices!r})"
            )
        ends = [self.ends[i] for i in wanted]
        features, _, found = self._run_blocks(x, neighbors, set(ends))
        return features, [found[end] for end in ends]

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
        if neighbors is not None and len(neighbors) != len(self.reaches):
            raise ValueError(
                f"'neighbors' must hold a graph for each of {len(self.reaches)} blocks "
                f"(got {len(neighbors)})"
            )
        x = self._embed(self._read(x))
        height, width = x.shape[-2:]
        x = self._to_nodes(x)
        graphs: list[NeighborTable] = []
        found: dict[int, Tensor] = {}
        reaches = self._fit(height, width)
        for downsample, blocks in self._stages():
            if downsample is not None:
                x = downsample(self._to_map(x, height, width))
                height, width = x.shape[-2:]
                x = self._to_nodes(x)
            for block in blocks:
                i = len(graphs)
                x, graph = block["grapher"](  # type: ignore[index]
                    x,
                    None if neighbors is None else neighbors[i],
                    k=reaches[i].k,
                    dilation=reaches[i].dilation,
                    grid_size=(height, width),
                    return_graph=True,
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

    def _fit(self, height: int, width: int) -> list[Reach]:
        r"""Returns the neighbourhoods for a first grid of that size; warns once if fewer."""
        fitted = self._reaches_of(height, width)
        if fitted != self.reaches and not self._warned and not torch.compiler.is_compiling():
            self._warned = True
            worst = next(i for i, reach in enumerate(fitted) if reach != self.reaches[i])
            warn(
                f"an image of {height * width} patches is too small for k={self.reaches[worst].k} "
                f"and dilation={self.reaches[worst].dilation} (block {worst}); it uses "
                f"k={fitted[worst].k} and dilation={fitted[worst].dilation}, and later blocks "
                f"likewise"
            )
        return fitted

    def _make_head(self) -> Module:
        if self.num_classes == 0:
            return torch.nn.Identity()
        return Sequential(
            self._linear(self.num_features, HEAD_CHANNELS),
            self._norm_layer(HEAD_CHANNELS),
            make_act(self.act),
            Dropout(self.dropout),
            self._linear(HEAD_CHANNELS, self.num_classes),
        )


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
