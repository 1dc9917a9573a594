r"""Temporal convolutions that are given a track frame by frame."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module, Sequential

from pyg_vision._checks import check_int
from pyg_vision.nn.layers.multi_scale_temporal_conv import MultiScaleTemporalConv
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.temporal_max_pool import TemporalMaxPool


class StreamingFrames(Module):
    r"""Holds back frames until those before and after them are there.

    A frame :math:`t` comes out once frame :math:`t + r` has come in, with the :math:`r` frames on
    either side of it. Without zeros around a track, as here, the first that comes out is frame
    :math:`r`; with :obj:`padded=True` there are :math:`r` zeros before the first frame, and
    :meth:`finish` puts as many behind the last. Of a stride :math:`s` every :math:`s`-th comes out.

    What it remembers is a tensor that it takes and returns; of another person it is another one.

    Args:
        reach (int): The frames :math:`r`.
        stride (int, optional): The stride :math:`s`, at most :math:`2 r + 1`. (default: :obj:`1`)
        padded (bool, optional): Whether zeros surround a track. (default: :obj:`False`)

    Shapes:
        - **input:** the next frames :math:`(T, V, C)` of one person, and what was remembered
        - **output:** the windows :math:`(T^{\prime}, V, C, 2 r + 1)` around the frames that come
          out, and what is remembered

    Raises:
        ValueError: If a number is out of range; when called, if frames are not like those before.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import StreamingFrames
        >>> frames = StreamingFrames(reach=1)
        >>> windows, memory = frames(torch.arange(2.0).view(2, 1, 1))
        >>> windows.shape[0]
        0
        >>> windows, memory = frames(torch.full((1, 1, 1), 2.0), memory)
        >>> windows.flatten().tolist()
        [0.0, 1.0, 2.0]
    """

    def __init__(self, reach: int, stride: int = 1, padded: bool = False) -> None:
        super().__init__()
        self.reach = check_int("reach", reach, 0)
        self.stride = check_int("stride", stride)
        if stride > 2 * reach + 1:
            raise ValueError(
                f"'stride' must be at most 2 * reach + 1 = {2 * reach + 1} (got {stride})"
            )
        self.padded = padded

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r"""Takes frames, and returns windows.

        Args:
            x (torch.Tensor): The next frames, any number of them.
            memory (torch.Tensor, optional): What was remembered, nothing of a new track.
                (default: :obj:`None`)
        """
        if x.dim() != 3:
            raise ValueError(f"'x' must be frames [T, V, C] of one person (got {list(x.shape)})")
        if memory is None:
            memory = x.new_zeros(self.reach if self.padded else 0, *x.shape[1:])
        if memory.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"'x' must be frames like those before, {list(memory.shape[1:])} (got "
                f"{list(x.shape[1:])})"
            )
        held = torch.cat((memory, x))
        size = 2 * self.reach + 1
        if held.size(0) < size:
            return held.new_zeros(0, *held.shape[1:], size), held
        windows = held.unfold(0, size, self.stride)
        return windows, held[windows.size(0) * self.stride :]

    def finish(self, memory: Tensor) -> Tensor:
        r"""Returns the windows around the last frames, with zeros behind them if tracks are padded.

        Args:
            memory (torch.Tensor): What was remembered.
        """
        zeros = memory.new_zeros(self.reach if self.padded else 0, *memory.shape[1:])
        return self(zeros, memory)[0]

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.reach}, stride={self.stride})"


def convolve_windows(layer: Module, windows: Tensor) -> Tensor:
    r"""Returns what a temporal convolution or maximum gives for the middle frame of each window.

    Args:
        layer (TemporalConv or TemporalMaxPool): The layer, whose stride windows have already.
        windows (torch.Tensor): The windows :math:`(T, V, C, 2 r + 1)`.
    """
    middle = windows.size(-1) // 2
    reach = cast(int, layer.reach)
    if isinstance(layer, TemporalMaxPool):
        return windows[..., middle - reach : middle + reach + 1].amax(dim=-1)
    conv = cast(TemporalConv, layer)
    taken = windows[..., middle - reach : middle + reach + 1 : conv.dilation]
    return F.linear(taken.flatten(2), conv.weight.flatten(1), conv.bias)


def run_frame_layers(layers: Sequential | list[Module], x: Tensor) -> Tensor:
    r"""Runs layers that look at each joint of each frame by itself.

    Args:
        layers (torch.nn.Sequential): The layers.
        x (torch.Tensor): The frames :math:`(T, V, C)`.
    """
    if x.size(0) == 0:  # a norm would still count them
        width = next((m.out_channels for m in layers if isinstance(m, TemporalConv)), x.size(2))
        return x.new_zeros(0, x.size(1), width)
    shape = x.shape[:2]
    for layer in layers:
        if isinstance(layer, TemporalConv):
            x = convolve_windows(layer, x.unsqueeze(-1))
        else:
            x = layer(x.flatten(0, 1)).view(*shape, -1)
    return x


class StreamingMultiScaleConv(Module):
    r"""A :class:`MultiScaleTemporalConv` that is given the track of a person frame by frame, each
    of which costs one frame of work. It shares the weights of the layer, in evaluation mode.

    All branches come out as late as the one that reaches farthest, see :class:`StreamingFrames`.
    With :obj:`padded=True`, the frames of a whole track, and then :meth:`finish`, give what the
    layer gives for it.

    Args:
        conv (MultiScaleTemporalConv): The layer.
        padded (bool, optional): Whether zeros surround a track, as those of the layer itself.
            (default: :obj:`False`)

    Shapes:
        - **input:** the next frames :math:`(T, V, C_{in})` of one person, and what was remembered
        - **output:** the frames that come out :math:`(T^{\prime}, V, C_{out})`, and what is
          remembered

    Example:
        >>> import torch
        >>> from pyg_vision.nn import MultiScaleTemporalConv, StreamingMultiScaleConv
        >>> conv = MultiScaleTemporalConv(16, 16).eval()
        >>> streaming, memory = StreamingMultiScaleConv(conv), None
        >>> for frame in torch.randn(10, 1, 17, 16):
        ...     out, memory = streaming(frame, memory)
        >>> streaming.reach, out.shape
        (4, torch.Size([1, 17, 16]))
    """

    def __init__(self, conv: MultiScaleTemporalConv, padded: bool = False) -> None:
        super().__init__()
        self.conv = conv
        self._parts = [_split(cast(Sequential, branch)) for branch in conv.branches]
        self.reach = max(cast(int, layer.reach) for _, layer, _ in self._parts)
        self.frames = StreamingFrames(self.reach, conv.stride, padded)
        self.train(conv.training)

    def forward(
        self, x: Tensor, memory: list[Tensor | None] | None = None, finish: bool = False
    ) -> tuple[Tensor, list[Tensor | None]]:
        r"""Takes frames, and returns those that come out.

        Args:
            x (torch.Tensor): The next frames, any number of them.
            memory (list, optional): What was remembered, nothing of a new track.
                (default: :obj:`None`)
            finish (bool, optional): Whether they are the last ones. (default: :obj:`False`)
        """
        if self.conv.training:
            raise RuntimeError("a streaming layer is for evaluation; call eval() first")
        kept: list[Tensor | None] = [None] * (len(self._parts) + 1) if memory is None else [*memory]
        whole = x
        if self.conv.num_joints is not None:
            whole = torch.cat((x, x.mean(dim=1, keepdim=True)), dim=1)
        outs = []
        for i, (before, layer, behind) in enumerate(self._parts):
            windows, kept[i] = take_windows(
                self.frames, run_frame_layers(before, whole), kept[i], finish
            )
            outs.append(run_frame_layers(behind, convolve_windows(layer, windows)))
        out = torch.cat(outs, dim=2)
        if self.conv.add_coeff is not None:
            out = torch.addcmul(out[:, :-1], out[:, -1:], self.conv.add_coeff.view(-1, 1))
        if self.conv.has_residual:
            windows, kept[-1] = take_windows(self.frames, x, kept[-1], finish)
            inner = windows[..., self.reach]
            out = out + (
                inner if self.conv.residual is None else run_frame_layers(self.conv.residual, inner)
            )
        return (out if self.conv.merge is None else run_frame_layers(self.conv.merge, out)), kept


def take_windows(
    frames: StreamingFrames, x: Tensor, memory: Tensor | None, finish: bool
) -> tuple[Tensor, Tensor]:
    r"""Returns the windows that come out, the last ones among them if a track ends.

    Args:
        frames (StreamingFrames): What holds back frames.
        x (torch.Tensor): The next frames.
        memory (torch.Tensor, optional): What was remembered.
        finish (bool): Whether they are the last ones.
    """
    windows, memory = frames(x, memory)
    if finish:
        windows = torch.cat((windows, frames.finish(memory)))
    return windows, memory


def _split(branch: Sequential) -> tuple[list[Module], Module, list[Module]]:
    r"""Returns the layer of a branch that looks at other frames, and what is before and behind."""
    layers = list(branch)
    places = [i for i, m in enumerate(layers) if isinstance(m, TemporalConv | TemporalMaxPool)]
    last = places[-1]
    return layers[:last], layers[last], layers[last + 1 :]
