r"""Convolution along the track of each joint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.nn import Module, Parameter
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision._processor import multiplies_shifted
from pyg_vision._validation import is_traced
from pyg_vision.data.tracks import Tracks


class TemporalConv(Module):
    r"""The temporal convolution from the `"Spatial Temporal Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_{v, t} = \mathbf{b} + \sum_{\tau = 0}^{k - 1} \mathbf{W}_{\tau} \,
        \mathbf{x}_{v, s t + d (\tau - (k - 1) / 2)}

    where :math:`\mathbf{x}_{v, t}` is joint :math:`v` in frame :math:`t` of one person, zero
    before its first and after its last frame. Persons and sequences never mix, and tracks of any
    lengths are convolved together without being padded to the longest. A track of :math:`T`
    frames becomes one of :math:`\lceil T / s \rceil`.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        kernel_size (int, optional): The frames :math:`k` that an output sees, an odd number.
            (default: :obj:`9`)
        stride (int, optional): The stride :math:`s`. (default: :obj:`1`)
        bias (bool, optional): Whether there is a bias. (default: :obj:`True`)
        dilation (int, optional): The frames :math:`d` from one entry of the kernel to the next.
            (default: :obj:`1`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C_{out})` in the same order

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive or the kernel size even; when called, if the
            features do not fit the tracks.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import TemporalConv
        >>> conv = TemporalConv(3, 16, kernel_size=9, stride=2)
        >>> shapes = [(1, 30, 17), (2, 12, 17)]  # persons, frames and joints of two sequences
        >>> x = torch.randn(1 * 30 * 17 + 2 * 12 * 17, 3)
        >>> conv(x, shapes).shape  # 15 frames, and twice 6
        torch.Size([459, 16])
    """

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 9,
        stride: int = 1,
        bias: bool = True,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.kernel_size = check_int("kernel_size", kernel_size)
        self.stride = check_int("stride", stride)
        self.dilation = check_int("dilation", dilation)
        if kernel_size % 2 == 0:
            raise ValueError(f"'kernel_size' must be odd (got {kernel_size})")
        # Shaped as that of the published convolution over maps of frames and joints.
        self.weight = Parameter(torch.empty(out_channels, in_channels, kernel_size, 1))
        self.register_parameter("bias", Parameter(torch.empty(out_channels)) if bias else None)
        self.reset_parameters()

    @property
    def reach(self) -> int:
        r"""How many frames before and after its own an output sees."""
        return self.kernel_size // 2 * self.dilation

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module, as those of a convolution."""
        bound = 1 / math.sqrt(self.in_channels * self.kernel_size)
        torch.nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            torch.nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor, tracks: Tracks | Data | Sequence[Sequence[int]]) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks, Data or list of tuples): The graph that the nodes belong to,
                its :obj:`skeleton_shape`, or :class:`~pyg_vision.data.Tracks`.
        """
        tracks = tracks if isinstance(tracks, Tracks) else Tracks.of(tracks)
        if x.dim() != 2 or x.size(0) != tracks.num_nodes or x.size(1) != self.in_channels:
            raise ValueError(
                f"'x' must be [{tracks.num_nodes} nodes, in_channels={self.in_channels}] for "
                f"{tracks.num_tracks} track(s) of {tracks.num_frames} frames and "
                f"{tracks.num_joints} joints (got shape {list(x.shape)})"
            )
        joints = tracks.num_joints
        if tracks.regular:
            # One dimension at a time: a compiler with symbols for sizes could not divide by two.
            frames = x.reshape(tracks.num_frames, joints, x.size(1))
            maps = frames.reshape(tracks.num_tracks, tracks.length, joints, x.size(1))
            return self._convolve(maps).flatten(0, 1).flatten(0, 1)
        if self.reach == 0 and self.stride == 1:  # each frame by itself
            return self._convolve(x.reshape(1, -1, joints, x.size(1))).flatten(0, 1).flatten(0, 1)
        # Tracks behind one another in one long map, with as many zeros between as a kernel
        # reaches: the zeros before the first and after the last frame, shared by neighbours.
        rows, after, places = tracks.spacing(self.reach, self.stride, x.device)
        spaced = x.new_zeros(places.size(0), joints * x.size(1))
        spaced = spaced.index_copy(0, rows, x.reshape(-1, joints * x.size(1)))
        out = self._convolve(spaced.view(1, -1, joints, x.size(1)))
        out = out.reshape(-1, joints * self.out_channels).index_select(0, after)
        return out.view(-1, self.out_channels)

    def _convolve(self, x: Tensor) -> Tensor:
        r"""Convolves :math:`(N, T, V, C)` along :math:`T`."""
        stride = self.stride
        if self.kernel_size == 1 and stride > 1:
            # With AVX-512, oneDNN 3.12 writes beyond its memory where it computes the gradient of
            # such a weight for some numbers of channels below 16. A view instead of a copy would
            # bind an exported program to lengths that the stride divides.
            x, stride = x[:, ::stride].contiguous(), 1
        if _has_faster_gradient(x, self.weight):
            out = _ShiftedProducts.apply(x, self.weight, self.bias, stride, self.dilation)
        else:
            out = _convolve(x, self.weight, self.bias, stride, self.dilation)
        return out

    def __repr__(self) -> str:
        dilation = "" if self.dilation == 1 else f", dilation={self.dilation}"
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}{dilation})"
        )


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, dilation: int) -> Tensor:
    r"""A map with channels last, as it is."""
    maps, padding = x.permute(0, 3, 1, 2), (weight.size(2) // 2 * dilation, 0)
    out = F.conv2d(maps, weight, bias, (stride, 1), padding, (dilation, 1))
    return out.permute(0, 2, 3, 1)


def _has_faster_gradient(x: Tensor, weight: Tensor) -> bool:
    return (
        not is_traced(x)
        and multiplies_shifted()
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and torch.is_grad_enabled()
        and weight.requires_grad
        and not torch.is_autocast_enabled("cpu")
    )


class _ShiftedProducts(Function):
    r"""The convolution, with a gradient of its weight by a product for each shift."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, dilation: int
    ) -> Tensor:
        return _convolve(x, weight, bias, stride, dilation)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, weight, _, ctx.stride, ctx.dilation = inputs
        ctx.save_for_backward(x, weight)
        ctx.save_for_forward(x, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.ops.aten.convolution_backward(
                grad.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), weight, None, (ctx.stride, 1),
                (weight.size(2) // 2 * ctx.dilation, 0), (ctx.dilation, 1), False, (0, 0), 1,
                (True, False, False),
            )[0].permute(0, 2, 3, 1)  # fmt: skip
        if ctx.needs_input_grad[1]:
            grad_weight = weight_gradient(grad, x, weight.size(2), ctx.stride, ctx.dilation)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 1, 2))
        return grad_x, grad_weight, grad_bias, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor | None:
        x, weight = ctx.saved_tensors
        x_tangent, weight_tangent, bias_tangent, *_ = tangents
        how = ctx.stride, ctx.dilation
        out = None
        if x_tangent is not None:
            out = _convolve(x_tangent, weight, bias_tangent, *how)
        if weight_tangent is not None:
            change = _convolve(x, weight_tangent, None, *how)
            out = change if out is None else out + change
        if x_tangent is None and bias_tangent is not None:
            out = bias_tangent if out is None else out + bias_tangent
        return out


def weight_gradient(
    grad: Tensor, x: Tensor, kernel_size: int, stride: int, dilation: int = 1
) -> Tensor:
    r"""Returns the gradient of the weight of a temporal convolution, :math:`(O, C, k, 1)`.

    With zeros between the tracks, the frames that one entry of the kernel sees of all outputs are
    one slice of rows.

    Args:
        grad (torch.Tensor): The gradient of the output :math:`(N, T^{\prime}, V, O)`.
        x (torch.Tensor): The input :math:`(N, T, V, C)`.
        kernel_size (int): The frames :math:`k` of the kernel.
        stride (int): The stride.
        dilation (int, optional): The frames between entries of the kernel. (default: :obj:`1`)
    """
    num, frames, joints, channels = x.shape
    reach = kernel_size // 2 * dilation
    steps = -(-(frames + reach) // stride)  # of the outputs of a track and the gap behind it
    rows, tail = num * steps, -(-2 * reach // stride)
    spaced = x.new_zeros((rows + tail) * stride, joints * channels)
    inside = spaced[reach : reach + rows * stride].view(num, steps * stride, -1)
    inside[:, :frames] = x.flatten(2)
    # Every stride-th frame, from each of the first ones on.
    phases = spaced.view(rows + tail, stride, -1).transpose(0, 1).contiguous()
    phases = phases.view(stride, -1, channels)
    outputs = grad.new_zeros(num, steps, joints, grad.size(3))
    outputs[:, : grad.size(1)] = grad
    left = outputs.view(-1, grad.size(3)).t()
    products = []
    for shift in range(0, kernel_size * dilation, dilation):
        start = shift // stride * joints
        products.append(left @ phases[shift % stride, start : start + rows * joints])
    return torch.stack(products, dim=-1).unsqueeze(-1)
