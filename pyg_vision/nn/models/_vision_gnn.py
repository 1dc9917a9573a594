r"""What Vision GNNs share."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn import Dropout, Module, Parameter, Sequential
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data import fold_batch, fold_images
from pyg_vision.data.size import read_sizes
from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.layer_scale import LayerScale
from pyg_vision.nn.models._fusable_model import FusableModel
from pyg_vision.nn.models._vision_block import (
    VisionBlock,
    add_position,
    check_images,
    recorded_images,
    stored_as,
)
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid

HEAD_CHANNELS = 1024


class VisionGNN(FusableModel):
    r"""A model of images whose blocks build their own graphs.

    A subclass makes :obj:`stem`, :obj:`pos_embed`, its blocks and :obj:`head`, and says in
    :meth:`_stages` in which order they run.
    """

    _memory_format = torch.channels_last
    _block: type[VisionBlock] = VisionBlock
    _maps = "stages"  # after which there is a map

    stem: Module
    head: Module
    pos_embed: Parameter | None

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
        self.pos_embed = None
        self.num_features = 0  # of a node after the last block
        self._linear = linear
        self._norm_layer = norm_layer
        self.grad_checkpointing = False

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[VisionBlock]]]:
        r"""Returns what maps go through, and the blocks that follow, for each stage, after which
        :meth:`forward_intermediates` may return a map.
        """
        raise NotImplementedError

    def _num_blocks(self) -> int:
        return sum(len(blocks) for _, blocks in self._stages())

    def _block_options(self, height: int, width: int) -> Sequence[Mapping[str, Any]]:
        r"""Returns options of :meth:`VisionBlock.run` of each block, for a first grid of that size.

        Args:
            height (int): Its rows.
            width (int): Its columns.
        """
        return [{}] * self._num_blocks()

    def _recorded_options(self) -> Sequence[tuple[int, ...]]:
        r"""Returns what :meth:`VisionBlock.forward` of each block takes besides the maps."""
        return [()] * self._num_blocks()

    def block_grids(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        r"""Returns the rows and columns of the patches of each block, and of those that their
        neighbours are chosen from, for an image of that size.

        Args:
            height (int): The height of the image in pixels.
            width (int): Its width.
        """
        raise NotImplementedError

    def _map_info(self) -> list[tuple[int, int]]:
        r"""Returns the channels and the stride in pixels of each map that
        :meth:`forward_intermediates` returns.
        """
        raise NotImplementedError

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters as published: Kaiming normal, zero biases."""
        self.apply(_reset)
        if self.pos_embed is not None:
            torch.nn.init.zeros_(self.pos_embed)

    def reset_classifier(self, num_classes: int, dropout: float | None = None) -> None:
        r"""Replaces the head by a new one.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.
            dropout (float, optional): Its dropout, if it changes. (default: :obj:`None`)
        """
        self.num_classes = check_int("num_classes", num_classes, 0)
        self.dropout = self.dropout if dropout is None else dropout
        like = next(self.stem.parameters())
        self.head = self._make_head().to(like.device, like.dtype)
        self.head.train(self.training)
        self.head.apply(_reset)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        r"""Trades time for memory in training: each block is computed again in the backward pass.

        Args:
            enable (bool, optional): Whether to. (default: :obj:`True`)
        """
        self.grad_checkpointing = enable

    def forward(
        self,
        x: Tensor | Data | Sequence[Tensor],
        neighbors: Sequence[NeighborTable] | None = None,
    ) -> Tensor:
        r"""Runs the model.

        Images of different sizes are taken as they are: what is computed is that of each image
        alone, but for batch norms in training, which see all of them.

        Args:
            x (torch.Tensor, Batch or list): Images :math:`(B, C_{in}, H, W)`, or a PyG batch of
                their patch graphs, whatever the size of its patches; images of different sizes as
                such a batch or as a list of :math:`(C_{in}, H, W)`.
            neighbors (list, optional): A graph for each block, used instead of new ones, such as
                :meth:`forward_graphs` returned; not for images of different sizes.
                (default: :obj:`None`)
        """
        images = self._of_different_sizes(x)
        if images is not None:
            if neighbors is not None:
                raise ValueError("'neighbors' are of images of one size")
            return self._run_sizes(images)
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
        if isinstance(x, Proxy):
            raise TypeError("torch.fx records no graphs: call 'forward_graphs' of the model itself")
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
        wanted = self.check_indices(indices)
        features, _, found = self._run_blocks(x, neighbors, set(wanted))
        return features, [found[i] for i in wanted]

    def check_indices(self, indices: int | Sequence[int] | None = None) -> list[int]:
        r"""Returns the stages of a pyramid, or blocks of an isotropic model, that are meant.

        Args:
            indices (int or list, optional): Which ones; negative ones count from the end, a number
                means so many of the last. (default: all)

        Raises:
            ValueError: If there are none such.
        """
        depth = len(self._map_info())
        wanted = depth if indices is None else indices
        if isinstance(wanted, int):
            wanted = range(-wanted, 0)
        if not wanted or any(type(i) is not int or not -depth <= i < depth for i in wanted):
            raise ValueError(
                f"'indices' must be one or more of {depth} {self._maps}, or how many of the last "
                f"(got {indices!r})"
            )
        return [i % depth for i in wanted]

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
        if isinstance(x, Proxy):
            return self._record(x, neighbors, wanted)
        stages = list(self._stages())
        depth = sum(len(blocks) for _, blocks in stages)
        if neighbors is not None and len(neighbors) != depth:
            raise ValueError(
                f"'neighbors' must hold a graph for each of {depth} blocks (got {len(neighbors)})"
            )
        x = self._embed(self._read(x))
        height, width = x.shape[-2:]
        x = self._block.to_nodes(x)
        graphs: list[NeighborTable] = []
        found: dict[int, Tensor] = {}
        options = self._block_options(height, width)
        for stage, (layers, blocks) in enumerate(stages):
            if layers is not None:
                x = self._run_layers(layers, self._block.to_map(x, height, width))
                height, width = x.shape[-2:]
                x = self._block.to_nodes(x)
            for block in blocks:
                i = len(graphs)
                given = None if neighbors is None else neighbors[i]
                run = partial(block.run, **options[i])
                x, graph = self._checkpointed(block, run, x, given, (height, width))
                graphs.append(graph)
            if stage in wanted:
                found[stage] = self._block.to_map(x, height, width)
        return x, graphs, found

    def _record(
        self, x: Proxy, neighbors: Sequence[NeighborTable] | None, wanted: Container[int]
    ) -> tuple[Tensor, list[NeighborTable], dict[int, Tensor]]:
        r"""Returns what :meth:`_run_blocks` does but for the graphs, recorded by torch.fx with
        each block as one node.
        """
        maps = self._embed(recorded_images(x, self.in_channels, neighbors))  # type: ignore[arg-type]
        rows = iter(self._recorded_options())
        found: dict[int, Tensor] = {}
        for stage, (layers, blocks) in enumerate(self._stages()):
            maps = maps if layers is None else layers(maps)
            for block in blocks:
                maps = block(maps, *next(rows))
            if stage in wanted:
                found[stage] = maps
        return self._block.to_nodes(maps), [], found

    def _run_layers(self, layers: Module, x: Tensor) -> Tensor:
        r"""Returns maps after what they go through before the blocks of a stage."""
        out: Tensor = layers(x)
        return out

    def _checkpointed(self, block: Module, run: Callable[..., Any], *args: Any) -> Any:
        if not (self.grad_checkpointing and self.training and torch.is_grad_enabled()):
            return run(*args)
        return checkpoint(
            run,
            *args,
            use_reentrant=False,
            context_fn=lambda: (nullcontext(), _counted_once(block)),
        )

    def _of_different_sizes(self, x: object) -> list[Tensor] | None:
        r"""Returns images :math:`(C_{in}, H, W)`, if they have different sizes or are a list."""
        if isinstance(x, Data):
            sizes = read_sizes(x, "grid_size"), read_sizes(x, "patch_size")
            if all(len(set(size)) == 1 for size in sizes):
                return None
            return fold_images(x)
        if not isinstance(x, list | tuple):
            return None
        wrong = next((v for v in x if not isinstance(v, Tensor) or v.dim() != 3), None)
        if wrong is not None or not x:
            found = f"shape {list(wrong.shape)}" if isinstance(wrong, Tensor) else repr(wrong)[:40]
            raise ValueError(
                f"a list of images must hold tensors [{self.in_channels}, H, W], at least one "
                f"(got {found if x else 'none'})"
            )
        return list(x)

    def _run_sizes(self, images: list[Tensor]) -> Tensor:
        r"""Returns the logits of images of any sizes, in their order."""
        places = places_of_sizes(images)
        if self.training and len(places) > 1:
            raise ValueError(
                f"{type(self).__name__} takes images of different sizes in evaluation mode alone, "
                f"since its batch norms see one size at a time (got {len(places)} sizes)"
            )
        groups = [torch.stack([images[i] for i in place]) for place in places]
        logits = torch.cat([self.forward_head(self.forward_features(group)) for group in groups])
        return in_order(logits, places)

    def _read(self, x: Tensor | Data) -> Tensor:
        r"""Returns images :math:`(B, C_{in}, H, W)`."""
        if isinstance(x, Data):
            x = fold_batch(x)
        return check_images(x, self.in_channels)

    def _embed(self, x: Tensor) -> Tensor:
        r"""Returns patch embeddings with their positions, :math:`(B, C, H', W')`."""
        return self._add_position(self.stem(stored_as(x, self._memory_format)))

    def _add_position(self, x: Tensor) -> Tensor:
        if self.pos_embed is None:
            return x
        return add_position(x, self.pos_embed, self._memory_format)

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


def places_of_sizes(images: Sequence[Tensor]) -> list[list[int]]:
    r"""Returns which images are of one size, for each size.

    Args:
        images (list of torch.Tensor): The images.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for i, image in enumerate(images):
        places.setdefault(tuple(image.shape), []).append(i)
    return list(places.values())


def in_order(logits: Tensor, places: Sequence[Sequence[int]]) -> Tensor:
    r"""Returns the logits of images in their order.

    Args:
        logits (torch.Tensor): Those of all images of one size, then of the next.
        places (list): What :func:`places_of_sizes` returned.
    """
    order = [i for place in places for i in place]
    return logits[torch.tensor(order, device=logits.device).argsort()]


@contextmanager
def _counted_once(block: Module) -> Iterator[None]:
    r"""Keeps norms from adding a batch to their statistics a second time."""
    norms = [m for m in block.modules() if isinstance(m, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm, (_, count) in zip(norms, before, strict=True):
        norm.momentum = 0.0
        norm.num_batches_tracked = None if count is None else count.clone()
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count


def _reset(module: Module) -> None:
    if isinstance(module, GroupedLinear | torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)
    elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
        module.reset_parameters()
    elif isinstance(module, torch.nn.PReLU):
        torch.nn.init.constant_(module.weight, 0.2)
    elif isinstance(module, LayerScale | torch.nn.LayerNorm):
        module.reset_parameters()
    elif isinstance(getattr(module, "temperature", None), Parameter):  # of gates
        torch.nn.init.ones_(module.temperature)  # type: ignore[arg-type]
    elif isinstance(getattr(module, "eps", None), Parameter):  # of graph isomorphism
        torch.nn.init.zeros_(module.eps)  # type: ignore[arg-type]
