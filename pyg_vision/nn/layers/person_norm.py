r"""A batch norm of joints that tells persons apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm1d, Module
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.fold_norms import ChannelAffine


class PersonNorm(Module):
    r"""The batch norm of inputs of 2s-AGCN and its successors: the first and the second person of a
    sequence are features of their own.

    .. math::
        x^{\prime}_{m,t,v,c} = \gamma_{m,v,c} \, \frac{x_{m,t,v,c} - \mu_{m,v,c}}{\sqrt{
        \sigma^2_{m,v,c} + \epsilon}} + \beta_{m,v,c}

    In training, mean and variance are those of the frames in which a person is there.

    Args:
        num_persons (int): The most persons of a sequence.
        channels (int): The features of a frame of a person, its joints times their channels.
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** frames :math:`(F, C)` in the order of their tracks
        - **output:** the same

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive; when called, if a sequence has more persons.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> from pyg_vision.nn import PersonNorm
        >>> norm = PersonNorm(num_persons=2, channels=51)
        >>> norm(torch.randn(20, 51), Tracks.of([(2, 6, 17), (1, 8, 17)])).shape
        torch.Size([20, 51])
    """

    def __init__(
        self,
        num_persons: int,
        channels: int,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.num_persons = check_int("num_persons", num_persons)
        self.channels = check_int("channels", channels)
        self.norm = norm_layer(num_persons * channels)

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The frames.
            tracks (Tracks): Their tracks.
        """
        persons = self.num_persons
        regular = tracks.regular and tracks.even
        if regular and tracks.num_tracks > persons * tracks.num_sequences:
            most = tracks.num_tracks // tracks.num_sequences
            raise ValueError(f"a sequence must have at most {persons} persons (got {most})")
        if not regular:  # sizes that an exporter leaves open are not counted
            most = max(getattr(tracks, "persons", ()), default=0)  # a compiler's do not tell
            if most > persons:
                raise ValueError(f"a sequence must have at most {persons} persons (got {most})")
        if regular:
            if tracks.num_tracks == persons * tracks.num_sequences:
                shape = (tracks.num_sequences, persons, tracks.length, self.channels)
                y = x.reshape(shape).transpose(1, 2).flatten(0, 1).flatten(1)
                y = self.norm(y).view(shape[0], shape[2], persons, self.channels)
                return y.transpose(1, 2).reshape(x.shape)
        sequence = tracks.sequence_of_track(x.device)
        # How many tracks of its sequence are before a track.
        slot = torch.arange(sequence.numel(), device=x.device)
        slot = slot - torch.searchsorted(sequence, sequence)
        slots = slot.index_select(0, tracks.track_of_frame(x.device))
        known = self._known()
        if known is not None:
            scale, shift = (value.to(x.dtype).view(persons, -1) for value in known)
            return torch.addcmul(shift.index_select(0, slots), x, scale.index_select(0, slots))
        return self._by_persons(x, slots)

    def _known(self) -> tuple[Tensor, Tensor] | None:
        r"""Returns factors and terms that do not depend on the batch."""
        norm = self.norm
        if isinstance(norm, ChannelAffine):
            scale = torch.ones_like(norm.shift) if norm.scale is None else norm.scale
            return scale, norm.shift
        if norm.training:
            return None
        if isinstance(norm, _BatchNorm) and norm.running_var is not None:
            scale = (norm.running_var + norm.eps).rsqrt()
            if norm.weight is not None:
                scale = scale * norm.weight
            shift = -norm.running_mean * scale  # type: ignore[operator]
            return scale, shift if norm.bias is None else shift + norm.bias
        return None

    def _by_persons(self, x: Tensor, slots: Tensor) -> Tensor:
        r"""Normalises the frames of the first persons, of the second ones, and so on."""
        norm = self.norm
        if type(norm) is not BatchNorm1d:
            raise ValueError(
                "batches of different persons are trained with torch.nn.BatchNorm1d alone (got "
                f"'{type(norm).__name__}'); fill them up by padding='published'"
            )
        share = norm.momentum
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
            share = 1.0 / float(norm.num_batches_tracked) if share is None else share
        out = torch.empty_like(x)
        for person in range(self.num_persons):
            rows = (slots == person).nonzero().flatten()
            if rows.numel() == 0:
                continue
            part = slice(person * self.channels, (person + 1) * self.channels)
            mean, var, weight, bias = (
                None if value is None else value[part]
                for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
            )
            found = F.batch_norm(x[rows], mean, var, weight, bias, True, share or 0.0, norm.eps)
            out = out.index_copy(0, rows, found)
        return out
