r"""What MobileViG and the models after it share: stages of local blocks, then graph blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor
from torch.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Identity,
    Module,
    ModuleDict,
    ModuleList,
    Sequential,
)

from pyg_vision._checks import check_int, check_ints, check_rate
from pyg_vision.data.size import as_size
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.inverted_residual import InvertedResidual
from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.distilled_head import DistilledHead
from pyg_vision.nn.layers.drop_path import drop_path_rates
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.map_layers import MapLayers
from pyg_vision.nn.models._pyramid import patches_of, stage_grids, stage_maps
from pyg_vision.nn.models._vision_block import VisionBlock
from pyg_vision.nn.models._vision_gnn import VisionGNN
from pyg_vision.typing import Grid

# Of a stage, channels, step and probability of stochastic depth, the first half of a block.
Mixer = Callable[[int, int, int, float], Module]


class AxialVisionGNN(VisionGNN):
    r"""A pyramid whose stages are local blocks, then graph blocks, and whose head may have two
    classifiers.
    """

    stages: ModuleList
    _layers: type[Sequential] = MapLayers  # of the stem, and of what halves a map
    _scales_ffn = True  # whether the second half of a graph block has a layer scale
    _counts_local = True  # whether stochastic depth rises over local blocks, too

    def __init__(
        self,
        channels: Sequence[int],
        blocks: Sequence[Sequence[int]],
        steps: Sequence[int],
        embed_channels: int,
        act: str,
        num_classes: int,
        drop_path: float,
        dropout: float,
        in_channels: int,
        image_size: int | Sequence[int],
        distilled: bool,
        layer_scale: float,
        mixer: Mixer,
        ffn: Callable[..., Module] = FFN,
        local: Callable[..., Module] = InvertedResidual,
        linear: Callable[[int, int], Module] = GroupedLinear,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__(in_channels, num_classes, act, dropout, linear, norm_layer)
        self.channels = check_ints("channels", channels)
        self.blocks = _check_blocks(blocks)
        self.steps = check_ints("steps", steps, 0)
        if not len(self.channels) == len(self.blocks) == len(self.steps):
            raise ValueError(
                f"'channels', 'blocks' and 'steps' must be of one length, one of each for a stage "
                f"(got {len(self.channels)}, {len(self.blocks)} and {len(self.steps)})"
            )
        if self.channels[0] % 2:
            raise ValueError(
                f"the first of 'channels' must be even, the stem has half of them (got "
                f"{self.channels[0]})"
            )
        self.num_features = self.channels[-1]
        self.embed_channels = check_int("embed_channels", embed_channels)
        self.image_size = as_size("image_size", image_size)
        self.distilled = distilled
        check_rate("drop_path", drop_path)

        self.stem = self._layers(*stem_layers(in_channels, self.channels[0], act))
        rates = drop_path_rates(drop_path, sum(map(sum, self.blocks)))
        count = 0
        self.stages = ModuleList()
        for i, (width, (depth, graphs), step) in enumerate(
            zip(self.channels, self.blocks, self.steps, strict=True)
        ):
            layers: list[Module] = []
            if i > 0:
                layers.append(
                    self._layers(
                        Conv2d(self.channels[i - 1], width, 3, stride=2, padding=1),
                        BatchNorm2d(width),
                    )
                )
            for _ in range(depth):
                layers.append(local(width, act, layer_scale, rates[count]))
                count += self._counts_local
            own = ModuleList()
            for _ in range(graphs):
                rate = rates[count]
                count += 1
                scale = layer_scale if self._scales_ffn else None
                second = ffn(width, act=act, drop_path=rate, layer_scale=scale)
                own.append(self._block(mixer(i, width, step, rate), second))
            self.stages.append(ModuleDict({"layers": Sequential(*layers), "blocks": own}))
        self.head = self._make_head()
        self.reset_parameters()

    def forward_both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns the logits of both classifiers: that of the labels, and that of a teacher.

        Args:
            x (torch.Tensor): Images :math:`(B, C_{in}, H, W)`.

        Raises:
            RuntimeError: If there is no second classifier.
        """
        return self._both(self.forward_head(self.forward_features(x), pre_logits=True))

    def _both(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(self.head, DistilledHead):
            raise RuntimeError("a model without classes has no classifiers")
        return self.head.both(pooled)

    def block_grids(self, height: int, width: int) -> list[tuple[Grid, Grid]]:
        r"""Returns the rows and columns of the patches of each block, and of those that their
        neighbours are chosen from, which are the same.

        Args:
            height (int): The height of the image in pixels.
            width (int): Its width.
        """
        grids = stage_grids(*patches_of(height, width), len(self.blocks))
        return [
            (grid, grid)
            for grid, (_, graphs) in zip(grids, self.blocks, strict=True)
            for _ in range(graphs)
        ]

    def _stages(self) -> Iterator[tuple[Module | None, Sequence[VisionBlock]]]:
        for stage in self.stages:
            yield stage["layers"], stage["blocks"]  # type: ignore[index]

    def _run_layers(self, layers: Module, x: Tensor) -> Tensor:
        if not (self.grad_checkpointing and self.training):
            out: Tensor = layers(x)
            return out
        for layer in layers.children():  # each is a block
            x = self._checkpointed(layer, layer, x)
        return x

    def _map_info(self) -> list[tuple[int, int]]:
        return stage_maps(self.channels)

    def _make_head(self) -> Module:
        if self.num_classes == 0:
            return Identity()
        return DistilledHead(
            self.num_features,
            self.embed_channels,
            self.num_classes,
            self.distilled,
            self.act,
            self.dropout,
            self._linear,
            self._norm_layer,
        )


def stem_layers(in_channels: int, channels: int, act: str) -> list[Module]:
    r"""Returns a stem of two convolutions of stride two.

    Args:
        in_channels (int): The channels of an image.
        channels (int): The channels of a patch, even.
        act (str): The activation.
    """
    check_int("in_channels", in_channels)
    half = channels // 2
    return [
        Conv2d(in_channels, half, 3, stride=2, padding=1),
        BatchNorm2d(half),
        make_act(act),
        Conv2d(half, channels, 3, stride=2, padding=1),
        BatchNorm2d(channels),
        make_act(act),
    ]


def _check_blocks(blocks: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    found = []
    for stage, row in enumerate(blocks):
        pair = check_ints(f"blocks[{stage}]", row, 0)
        if len(pair) != 2:
            raise ValueError(
                f"'blocks[{stage}]' must be the numbers of local and of graph blocks (got {row!r})"
            )
        found.append((pair[0], pair[1]))
    if not found:
        raise ValueError("'blocks' must hold at least one stage (got none)")
    return tuple(found)
