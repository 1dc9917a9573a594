r"""ST-GCN that is given a motion frame by frame."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor
from torch.nn import Module, ModuleList
from torch.nn.modules.batchnorm import _NormBase

from pyg_vision._checks import check_int
from pyg_vision.nn.blocks.stgcn_block import STGCNBlock
from pyg_vision.nn.layers.streaming_temporal_conv import (
    StreamingFrames,
    convolve_windows,
    run_frame_layers,
    take_windows,
)
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.models.st_gcn import STGCN

Pair = tuple[Tensor | None, Tensor | None]


@dataclass
class StreamingState:
    r"""What a :class:`StreamingSTGCN` remembers of one person.

    Args:
        blocks (list): The frames that each block still needs.
        features (torch.Tensor, optional): The features of the last frames, which are averaged, or
            the sum of all.
        count (int): How many features came out.

    Example:
        >>> from pyg_vision.nn import StreamingState
        >>> StreamingState().features is None
        True
    """

    blocks: list[Pair] = field(default_factory=list)
    features: Tensor | None = None
    count: int = 0


class StreamingSTGCN(Module):
    r"""An :class:`STGCN` that is given the motion of a person frame by frame, as in the `"Continual
    Spatio-Temporal Graph Convolutional Networks" <https://arxiv.org/abs/2203.11009>`_ paper: each
    frame is computed once, whatever the window that is classified. It computes with the weights
    that the model has, in a copy made for inference by :meth:`STGCN.fuse`.

    Each temporal convolution sees the frames that have come in, and no zeros: what comes out is
    what the model gives for a window when its convolutions are not padded and residuals are cut
    to their middles. It knows nothing of the first :attr:`receptive_field` - 1 frames alone, and
    with strides gives new logits for every :attr:`stride`-th frame, the mean over joints and over
    the features of a window.

    With :obj:`padded=True`, zeros are before the first frame and, by :meth:`finish`, behind the
    last, as in the model itself: the logits at the end of a motion are those of the model. Until
    then they are those of the frames whose features do not depend on what is to come, from frame
    :attr:`delay` on.

    Args:
        model (STGCN): The model.
        window (int, optional): The frames over which features are averaged.
            (default: all since the beginning)
        padded (bool, optional): Whether zeros surround a motion. (default: :obj:`False`)

    Shapes:
        - **input:** the next frames :math:`(T, V, C)` of one person
        - **output:** logits :math:`(T^{\prime}, \textrm{num_classes})`, a row for each feature
          that came out

    Raises:
        TypeError: If the model is no :class:`STGCN`, or has blocks of another kind.
        ValueError: If the window is not positive, or the model fills up sequences or normalises by
            the statistics of a batch; when called, if the frames do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN, StreamingSTGCN
        >>> model = STGCN(3, num_classes=7, layout="coco", stages=[(16, 2), (32, 1, 2)]).eval()
        >>> streaming = StreamingSTGCN(model, window=60)
        >>> streaming.receptive_field, streaming.stride
        (25, 2)
        >>> for frame in torch.randn(60, 17, 3):
        ...     logits = streaming.step(frame)
        >>> logits.shape
        torch.Size([7])
    """

    def __init__(self, model: STGCN, window: int | None = None, padded: bool = False) -> None:
        super().__init__()
        if not isinstance(model, STGCN) or not model.takes_graphs:
            raise TypeError(f"'model' must be an STGCN (got '{type(model).__name__}')")
        _check_model(model)
        self.model = model = model.fuse()
        self.window = None if window is None else check_int("window", window)
        self.padded = padded
        blocks = [cast(STGCNBlock, block) for block in model.blocks]
        self.frames = ModuleList(
            StreamingFrames(cast(TemporalConv, block.tcn[2]).reach, block.stride, padded)
            for block in blocks
        )
        self.graphs = ModuleList(
            _FrameGraph(block, model.adjacency(weight))
            for block, weight in zip(blocks, model._edge_weights(), strict=True)
        )
        self._states: dict[Hashable, tuple[StreamingState, Tensor | None]] = {}
        step, reach = 1, 0
        for block in blocks:
            reach += cast(TemporalConv, block.tcn[2]).reach * step
            step *= block.stride
        self.stride = step
        self.delay = reach
        self.receptive_field = 2 * reach + 1
        self.eval()

    def forward(
        self, x: Tensor, state: StreamingState | None = None, finish: bool = False
    ) -> tuple[Tensor, StreamingState]:
        r"""Takes frames, and returns the logits after each feature that came out.

        Args:
            x (torch.Tensor): The next frames, any number of them.
            state (StreamingState, optional): What was remembered of the person, nothing of a new
                one. (default: :obj:`None`)
            finish (bool, optional): Whether they are the last ones. (default: :obj:`False`)
        """
        model = self.model
        joints = model.layout.num_joints
        if x.dim() != 3 or x.shape[1:] != (joints, model.in_channels):
            raise ValueError(
                f"'x' must be frames [T, {joints} joints, in_channels={model.in_channels}] of one "
                f"person (got shape {list(x.shape)})"
            )
        before = StreamingState() if state is None else state
        memories = before.blocks or [(None, None)] * len(self.frames)
        if x.size(0):
            x = model.data_bn(x.reshape(x.size(0), -1)).view(x.shape)
        blocks: list[Pair] = []
        rows = zip(model.blocks, self.frames, self.graphs, memories, strict=True)
        for block, frames, graph, memory in rows:
            x, memory = _run(
                cast(STGCNBlock, block), cast(StreamingFrames, frames), graph, x, memory, finish
            )
            blocks.append(memory)
        means, features = self._average(x.mean(dim=1), before)
        logits = model.fcn(means) if len(means) else means.new_zeros(0, self._width())
        return logits, StreamingState(blocks, features, before.count + len(means))

    def finish(self, state: StreamingState) -> Tensor:
        r"""Returns the logits after the features of the last frames, as the motion ends.

        Args:
            state (StreamingState): What was remembered of the person.
        """
        weight = next(self.parameters())
        empty = weight.new_zeros(0, self.model.layout.num_joints, self.model.in_channels)
        return self(empty, state, finish=True)[0]

    @torch.no_grad()
    def step(self, frame: Tensor, person: Hashable = 0) -> Tensor | None:
        r"""Takes one frame of a person, and returns the newest logits of this person,
        :obj:`None` until there are some.

        Args:
            frame (torch.Tensor): The frame :math:`(V, C)`.
            person (optional): Who it is; each has memories of its own. (default: :obj:`0`)
        """
        state, last = self._states.get(person, (None, None))
        logits, state = self(frame.unsqueeze(0), state)
        last = logits[-1] if logits.size(0) else last
        self._states[person] = state, last
        return last

    def forget(self, person: Hashable | None = None) -> None:
        r"""Forgets a person, who begins anew.

        Args:
            person (optional): Who it is. (default: all)
        """
        if person is None:
            self._states.clear()
        else:
            self._states.pop(person, None)

    def _average(self, new: Tensor, before: StreamingState) -> tuple[Tensor, Tensor]:
        r"""Returns the mean of the features until each new one, and what the next ones need."""
        last = new.new_zeros(0, new.size(1)) if before.features is None else before.features
        if self.window is None:
            # In double precision, in which a sum over hours still grows.
            sums = torch.cat((last.double(), new.double())).cumsum(dim=0)[last.size(0) :]
            counts = before.count + torch.arange(1, len(new) + 1, device=new.device)
            means = (sums / counts.unsqueeze(1)).to(new.dtype)
            return means, (sums[-1:] if len(sums) else last)
        held, length = torch.cat((last, new)), max(self.window // self.stride, 1)
        ends = range(len(last) + 1, len(held) + 1)
        rows = [held[max(end - length, 0) : end].mean(dim=0) for end in ends]
        return torch.stack(rows) if rows else new, held[max(len(held) - length + 1, 0) :]

    def _width(self) -> int:
        return self.model.num_classes or self.model.num_features


def _check_model(model: STGCN) -> None:
    kinds = {type(block) for block in model.blocks}
    if kinds != {STGCNBlock}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"the blocks of the model must be STGCNBlock (got {names})")
    if model.padding is not None:
        raise ValueError("a model that fills up sequences does not see them frame by frame")
    for name, module in model.named_modules():
        if isinstance(module, _NormBase) and module.running_mean is None:
            raise ValueError(
                f"'{name}' normalises by the statistics of what it is given, of which a frame has "
                f"others than a motion"
            )


class _FrameGraph(Module):
    r"""The graph convolution of a block, for single frames: the typed edges as one matrix, since a
    frame is too little work for what plans and checks of them cost.
    """

    weight: Tensor
    matrix: Tensor
    shift: Tensor

    def __init__(self, block: STGCNBlock, adj: Tensor) -> None:
        super().__init__()
        gcn = block.gcn
        weight = cast(Tensor, gcn.weight).detach()
        matrix = adj.to(weight.dtype).permute(2, 0, 1)  # destinations, relations, sources
        shift = weight.new_zeros(adj.size(1), weight.size(2))
        if gcn.bias is not None:
            shift = shift + matrix.sum(dim=2) @ gcn.bias.detach()
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("matrix", matrix.flatten(1).contiguous(), persistent=False)
        self.register_buffer("shift", shift, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        r"""Returns the features of the joints :math:`(T, V, C^{\prime})` of frames."""
        rows = torch.matmul(x.unsqueeze(1), self.weight).flatten(1, 2)
        return (self.matrix @ rows).add_(self.shift)


def _run(
    block: STGCNBlock,
    frames: StreamingFrames,
    graph: Module,
    x: Tensor,
    memory: Pair,
    finish: bool,
) -> tuple[Tensor, Pair]:
    r"""Runs a block on the next frames."""
    norm, relu, conv, *behind = block.tcn
    h = x.new_zeros(0, x.size(1), cast(TemporalConv, conv).in_channels)
    if x.size(0):
        h = run_frame_layers([norm, relu], graph(x))
    inner, past = memory
    windows, inner = take_windows(frames, h, inner, finish)
    out = run_frame_layers(behind, convolve_windows(conv, windows))
    if block.has_residual:
        windows, past = take_windows(frames, x, past, finish)
        middle = windows[..., frames.reach]
        out = out + (middle if block.residual is None else run_frame_layers(block.residual, middle))
    return block.relu(out), (inner, past)
