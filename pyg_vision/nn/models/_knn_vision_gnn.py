r"""Vision GNNs whose blocks search for their graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._warn import warn
from pyg_vision.nn.blocks.packed_images import PackedImages, pack, run_on_maps
from pyg_vision.nn.graph.dilated_knn_graph import Reach
from pyg_vision.nn.models._vision_gnn import VisionGNN, in_order, places_of_sizes


class KNNVisionGNN(VisionGNN):
    r"""What isotropic and pyramid Vision GNNs share: a neighbourhood of each block, fitted to the
    image, and images of different sizes in one matrix of nodes.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        act: str,
        dropout: float,
        linear: Callable[[int, int], Module],
        norm_layer: Callable[[int], Module],
    ) -> None:
        super().__init__(in_channels, num_classes, act, dropout, linear, norm_layer)
        self.reaches: list[Reach] = []
        self._warned = False

    def _reaches_of(self, height: int, width: int) -> list[Reach]:
        r"""Returns the neighbourhood of each block for a first grid of that size."""
        raise NotImplementedError

    def _block_options(self, height: int, width: int) -> Sequence[Mapping[str, Any]]:
        return [reach._asdict() for reach in self._fit(height, width)]

    def _run_sizes(self, images: list[Tensor]) -> Tensor:
        r"""Returns the logits of images of any sizes, in their order."""
        places = places_of_sizes(images)
        groups = [torch.stack([images[i] for i in place]) for place in places]
        maps = run_on_maps(self.stem, [self._read(group) for group in groups])
        x, packed = pack([self._add_position(m) for m in maps])
        # Those of all sizes, block by block.
        reaches = zip(*(self._fit(*grid) for grid in packed.grids), strict=True)
        for downsample, blocks in self._stages():
            if downsample is not None:
                x, packed = pack(run_on_maps(downsample, packed.maps(x)))
            batch = packed.batch(x.device)
            for block in blocks:
                x = self._run_packed_block(block, x, packed, next(reaches), batch)
        pooled = torch.cat([part.mean(dim=1) for part in packed.graphs(x)])
        logits: Tensor = self.head(pooled)
        return in_order(logits, places)

    def _run_packed_block(
        self,
        block: Module,
        x: Tensor,
        packed: PackedImages,
        reaches: Sequence[Reach],
        batch: Tensor,
    ) -> Tensor:
        def run(x: Tensor) -> Tensor:
            x = block["grapher"].forward_packed(x, packed, reaches, batch)  # type: ignore[index]
            out: Tensor = block["ffn"](x, batch, packed.num_images)  # type: ignore[index]
            return out

        out: Tensor = self._checkpointed(block, run, x)
        return out

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
