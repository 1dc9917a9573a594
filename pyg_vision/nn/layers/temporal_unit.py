r"""The temporal convolution of one reach, with its norm."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, Sequential

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.multi_scale_temporal_conv import run_layers
from pyg_vision.nn.layers.temporal_conv import TemporalConv


class TemporalUnit(Module):
    r"""A :class:`TemporalConv` with norm and dropout, as 2s-AGCN and AAGCN have it.

    Args:
        channels (int): Size of each input and output.
        kernel_size (int, optional): The frames of the convolution. (default: :obj:`9`)
        stride (int, optional): Its stride. (default: :obj:`1`)
        dropout (float, optional): Dropout behind the norm. (default: :obj:`0.0`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C)` in the order person, frame, joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C)` in the same order
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 9,
        stride: int = 1,
        dropout: float = 0.0,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.layers = Sequential(
            TemporalConv(channels, channels, kernel_size, stride),
            norm_layer(channels),
            Dropout(dropout, inplace=True),
        )

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the layers.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks): Their tracks.
        """
        return run_layers(self.layers, x, tracks)
